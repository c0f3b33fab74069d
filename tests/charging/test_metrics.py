"""What Prometheus is told: each count moves with what it counts, once."""

import asyncio

import pytest
from prometheus_client import REGISTRY

from app.charging.claim import IdempotencyKeyReused, StillRunning
from app.charging.gate import Pass
from app.charging.hold import InsufficientBalance
from app.charging.recorder import Record
from app.clock import FrozenClock
from app.database import Database, DatabaseUnavailable
from tests.builders import make_answer, make_claim, make_event
from tests.charging.gated_account import PRICE_NANOS, open_gated_account
from tests.charging.serving_process import ServingProcess, serving


def value(name: str, **labels: str) -> float:
    return REGISTRY.get_sample_value(f"faremeter_{name}", labels) or 0.0


async def test_claims_are_counted_by_what_became_of_them(process: ServingProcess) -> None:
    results = ("granted", "in_use", "refused", "replayed")
    before = [value("claims_total", result=result) for result in results]
    first = make_claim()
    await process.gate.enter(Pass(first))
    with pytest.raises(StillRunning):
        await process.gate.enter(Pass(make_claim()))
    with pytest.raises(IdempotencyKeyReused):
        await process.gate.enter(Pass(make_claim(request="two")))
    await process.recorder.record(Record(make_event(id=first.event_id), first, make_answer()))
    await process.gate.enter(Pass(make_claim()))
    assert [value("claims_total", result=result) for result in results] == [count + 1 for count in before]


async def test_holds_are_counted_from_their_grant_to_their_end(
    database: Database, clock: FrozenClock, process: ServingProcess
) -> None:
    acme = open_gated_account(database, clock)
    acme.credits.grant(acme.account.id, amount_nanos=2 * PRICE_NANOS)
    names = ("holds_granted_total", "holds_settled_total")
    before = [value(name) for name in names]
    refused, failed = value("holds_refused_total", reason="balance"), value("holds_released_total", cause="failed")
    kept, left = acme.request(), acme.request()
    await asyncio.gather(*(process.gate.enter(Pass(hold=request)) for request in (kept, left)))
    with pytest.raises(InsufficientBalance):
        await process.gate.enter(Pass(hold=acme.request()))
    await process.recorder.record(acme.record(kept))
    process.gate.leave(Pass(hold=left))
    await process.gate.enter(Pass(hold=acme.request()))  # behind what left
    assert [value(name) for name in names] == [before[0] + 3, before[1] + 1]
    assert value("holds_refused_total", reason="balance") == refused + 1
    assert value("holds_released_total", cause="failed") == failed + 1


async def test_group_commits_are_counted_with_their_entries_retries_and_failures(
    database: Database, clock: FrozenClock, process: ServingProcess
) -> None:
    names = ("commit_seconds_count", "commit_entries_total", "commit_retries_total", "commit_failures_total")
    before = [value(name, group="recorder") for name in names]
    process.database.away_times = 1
    await process.recorder.record(Record(make_event()))
    async with serving(database, clock, patience_s=0) as impatient:
        impatient.database.away_times = 1
        with pytest.raises(DatabaseUnavailable):
            await impatient.recorder.record(Record(make_event()))
    moved = [value(name, group="recorder") - count for name, count in zip(names, before, strict=True)]
    assert moved == [1, 1, 1, 1]
    assert value("commit_waiting", group="recorder") == 0
