"""Goal: whoever leaves when, and whatever the model does: a call is charged once or not at all, and holds nothing then.

Method: clients on raw sockets leave at random stages, from the bare connection to the answer, by FIN or by RST; the
model answers, raises, has no finite number, or dawdles beyond the deadline of the call and of those that wait behind
it. At rest, without a process having ended: no hold and no claim is left; each 2xx has one event, no refused call has
any; the balance is what was granted less the charges; a call that was charged although its client had gone is answered
by its key, at no further charge; and the audit is clean.
"""

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import Row, select

from app.bootstrap import Books
from app.charging.tables import ClaimRow
from app.metering.tables import UsageEventRow
from tests.scenarios.fleet import held_in, is_at_rest
from tests.scenarios.leavers import WHOLE, Plan, Seen, Stage, follow, plans
from tests.scenarios.server_process import ServerProcess, Tenant, http_client, tenants
from tests.scenarios.wayward import JSON, PREDICT, Wish, body_of, build_wayward

PLAN = """
key = "wayward"
currency = "USD"
billing = "prepaid"
base_fee = "0"
[[price]]
model = "wayward"
meter = "units"
scheme = "per_unit"
unit_price = "0.001"
"""
CALL_NANOS, GRANTED_NANOS = 1_000_000, 100 * 10**9
CLIENTS, DEADLINE_S, PATIENCE_S = 32, 2, 60
STATUSES_SEEN, STATUSES = {200, 500, 504}, {200, 500, 503, 504}
REPEATED_MAX = 200


@pytest.mark.timeout(900)
async def test_who_leaves_is_charged_once_or_not_at_all_and_holds_nothing_after(
    database_url: str, books: Books, tmp_path: Path, n: Callable[[int, int], int], figures: Callable[[str], None]
) -> None:
    build_wayward(tmp_path / "models")
    (tenant,) = tenants(books, PLAN, 1)
    books.credits.grant(tenant.account_id, amount_nanos=GRANTED_NANOS)
    settings = {"models_dir": str(tmp_path / "models"), "request_deadline_s": str(DEADLINE_S), "limits": "off"}
    with ServerProcess(database_url, tmp_path, **settings) as server:
        swift, held_up = plans(n(270, 9_000), seed=20), plans(n(30, 1_000), seed=21, dawdlers=n(1, 30))
        seen = await follow(server.url, tenant, swift, clients=CLIENTS)
        seen += await follow(server.url, tenant, held_up, clients=CLIENTS)
        await _rest(books)
        told = _check_rule(books, tenant, seen)
        replayed = await _repeat_charged(books, server, tenant, seen)
        await _repeat_uncharged(books, server, tenant, seen)
        await _rest(books)
        assert not any(held_in(books, [tenant.account_id]))
    _check_balance(books, tenant)
    audit = books.self_audit.run()
    assert audit.clean, audit
    figures(f"{len(seen)} clients: {told}; {replayed} charged after their client had left, answered by their key")


async def _rest(books: Books) -> None:
    """Wait until no call holds or claims anything: its own end frees it, no process ends meanwhile."""
    async with asyncio.timeout(PATIENCE_S):
        while not is_at_rest(books):  # noqa: ASYNC110 - a database tells nobody
            await asyncio.sleep(0.05)


def _check_rule(books: Books, tenant: Tenant, seen: Sequence[Seen]) -> dict[str, int]:
    """Hold events against what clients saw; return how many there were of each kind."""
    events, by_key = _events(books, tenant), _charged_keys(books, tenant)
    charged = {event.id for event in events if event.outcome == "succeeded"}
    failed = [event for event in events if event.outcome == "failed"]
    answered = {each.event_id: each.plan for each in seen if each.status == 200}
    assert STATUSES_SEEN <= {each.status for each in seen if each.plan.stage is Stage.ANSWERED} <= STATUSES
    assert answered.keys() <= charged
    assert {event.delivered for event in events if event.id in answered} == {True}
    assert {plan.wish for plan in answered.values()} == {Wish.ANSWER}
    assert {event.amount_nanos for event in events if event.id in charged} == {CALL_NANOS}
    assert {(event.units, event.results, event.amount_nanos) for event in failed} <= {(0, 0, 0)}
    refused = {each.plan.key for each in seen if each.status not in {0, 200}}
    half = {each.plan.key for each in seen if each.plan.stage not in WHOLE}
    assert not by_key.keys() & (refused | half)
    # What stays: whoever left after all was sent, with a key or without.
    left = [each.plan for each in seen if each.plan.stage in WHOLE and each.status == 0]
    keyless = charged - set(by_key.values()) - answered.keys()
    assert len(keyless) <= sum(plan.key is None for plan in left)
    assert set(by_key.values()) - answered.keys() <= charged
    statuses = Counter(f"{each.status} answered" if each.status else "left" for each in seen)
    undelivered = sum(not event.delivered for event in events)
    assert undelivered > 0  # else nobody left while the call ran, and nothing was tried
    return dict(statuses) | {"charged": len(charged), "failed events": len(failed), "undelivered": undelivered}


async def _repeat_charged(books: Books, server: ServerProcess, tenant: Tenant, seen: Sequence[Seen]) -> int:
    """Repeat each call that was charged without its client having seen it: the same answer, at no charge."""
    by_key, before = _charged_keys(books, tenant), len(_events(books, tenant))
    unseen = [each.plan for each in seen if each.status == 0 and each.plan.key in by_key]
    async with http_client(server.url, tenant.headers) as http:
        for plan in unseen:
            answer = await _answer(http, plan)
            assert (answer.status_code, answer.headers.get("idempotent-replayed")) == (200, "true"), answer.text
            assert answer.json()["id"] == by_key[str(plan.key)]
    assert len(_events(books, tenant)) == before
    return len(unseen)


async def _repeat_uncharged(books: Books, server: ServerProcess, tenant: Tenant, seen: Sequence[Seen]) -> None:
    """Repeat calls that were not charged under the same key: they run now, and are charged once."""
    by_key = _charged_keys(books, tenant)
    open_keys = [each.plan for each in seen if each.plan.key and each.plan.key not in by_key]
    answerable = [plan for plan in open_keys if plan.wish is Wish.ANSWER][:REPEATED_MAX]
    async with http_client(server.url, tenant.headers) as http:
        for plan in answerable:
            first, second = await _answer(http, plan), await _answer(http, plan)
            assert (first.status_code, "idempotent-replayed" in first.headers) == (200, False), first.text
            assert (second.content, second.headers.get("idempotent-replayed")) == (first.content, "true")
    assert _charged_keys(books, tenant).keys() == by_key.keys() | {plan.key for plan in answerable}


async def _answer(http: httpx.AsyncClient, plan: Plan) -> httpx.Response:
    """Call until there is an answer other than that the deadline of the call has passed.

    The deadline is the server's, and as short as it takes to be overrun by the model: a machine that does much else
    overruns it as well. Such a call is charged nothing and leaves its key free, so that its caller calls again.
    """
    headers = {**JSON, "Idempotency-Key": str(plan.key)}
    async with asyncio.timeout(PATIENCE_S):
        while True:
            answer = await http.post(PREDICT, content=body_of(plan.wish), headers=headers)
            if answer.status_code != 504:
                return answer
            assert answer.json()["code"] == "deadline_exceeded"


def _check_balance(books: Books, tenant: Tenant) -> None:
    charges_nanos = sum(event.amount_nanos for event in _events(books, tenant))
    balance = books.credits.balance(tenant.account_id)
    assert balance.held_nanos == 0
    assert balance.available_nanos == balance.total_nanos == GRANTED_NANOS - charges_nanos


def _events(books: Books, tenant: Tenant) -> Sequence[Row[Any]]:
    events = UsageEventRow.__table__
    with books.database.reading() as session:
        return session.execute(select(events).where(events.c.account_id == tenant.account_id)).all()


def _charged_keys(books: Books, tenant: Tenant) -> dict[str, str]:
    """Return, by idempotency key, the id of the event of each call that was charged."""
    claim, event = ClaimRow, UsageEventRow
    query = select(claim.idempotency_key, event.id).join(event, event.id == claim.event_id)
    with books.database.reading() as session:
        rows = session.execute(query.where(claim.account_id == tenant.account_id, event.outcome == "succeeded")).all()
    return {row.idempotency_key: row.id for row in rows}
