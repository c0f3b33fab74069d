"""Money at the edges: a key is rotated, a plan changes, credit goes while a call runs; and a call that is free."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.accounts.budget import Measure, Window
from app.accounts.service import Accounts
from app.charging.gate import Granted, Pass
from app.charging.hold import HoldRequest, QuotaExceeded
from app.charging.recorder import Record
from app.charging.settlement import HoldLost
from app.charging.tables import ClaimRow, GatePositionRow, HoldRow
from app.clock import FrozenClock
from app.database import Database
from app.ledger.tables import JournalEntryRow
from app.metering.usage_event import Outcome
from app.pricing.service import Plans
from app.self_audit.report import Difference
from app.self_audit.service import SelfAudit
from tests.builders import make_answer, make_claim
from tests.charging.gated_account import PLAN, PRICE_NANOS, GatedAccount, counts_agree, open_gated_account
from tests.charging.serving_process import ServingProcess, charged, rows_of


@pytest.fixture
def acme(database: Database, clock: FrozenClock) -> GatedAccount:
    return open_gated_account(database, clock)


def found(acme: GatedAccount) -> list[Difference]:
    """Return all that the audit finds; amounts are those of calls that were told none."""
    results = SelfAudit(acme.database, acme.clock).run().results
    return [each for result in results if result.check != "amounts" for each in result.first]


async def test_a_rotated_key_and_its_successor_share_a_quota_while_calls_of_both_run(
    process: ServingProcess, acme: GatedAccount
) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=99 * PRICE_NANOS)
    acme.budgets.set(acme.account.id, key_id=acme.key_id, measure=Measure.UNITS, window=Window.DAY, limit_value=5)
    before = acme.request(3)
    await process.gate.enter(Pass(hold=before))
    accounts = Accounts(acme.database, acme.clock)
    successor = accounts.rotate_key(acme.account.id, acme.key_id, grace=timedelta(hours=1)).key
    behind = replace(acme.request(2), key_id=successor.budget_key_id)
    await process.gate.enter(Pass(hold=behind))
    for request, key_id in ((before, acme.key_id), (behind, successor.id)):
        await process.recorder.record(_under(acme.record(request), key_id))
        with pytest.raises(QuotaExceeded):
            await process.gate.enter(Pass(hold=replace(acme.request(1), key_id=successor.budget_key_id)))
    (state,) = acme.budgets.list(acme.account.id)
    assert (state.used, state.held) == (5, 0)
    assert found(acme) == []


async def test_a_call_of_an_invoiced_plan_draws_no_credit_though_the_plan_is_prepaid_when_it_ends(
    process: ServingProcess, database: Database, clock: FrozenClock
) -> None:
    acme = open_gated_account(database, clock, billing="postpaid")
    acme.budgets.set(acme.account.id, measure=Measure.MONEY, window=Window.MONTH, limit_value=9 * PRICE_NANOS)
    running = acme.request(3)
    await process.gate.enter(Pass(hold=running))
    clock.advance(timedelta(minutes=1))
    plans = Plans(database, clock)
    prepaid = plans.publish(PLAN.format(key="prepaid", billing="prepaid"))
    plans.assign(acme.account.id, "prepaid")
    acme.credits.grant(acme.account.id, amount_nanos=2 * PRICE_NANOS)
    assert acme.credits.balance(acme.account.id).available_nanos == 2 * PRICE_NANOS  # what is invoiced holds none of it
    paid = replace(acme.request(2), plan_version=prepaid)
    await process.gate.enter(Pass(hold=paid))
    for request in (running, paid):
        await process.recorder.record(acme.record(request))
    assert acme.credits.balance(acme.account.id).total_nanos == 0
    assert found(acme) == []


async def test_a_call_that_costs_nothing_needs_no_credit_and_leaves_no_entry(
    process: ServingProcess, acme: GatedAccount
) -> None:
    free = acme.request(0)
    assert isinstance(await process.gate.enter(Pass(hold=free)), Granted)
    await process.recorder.record(acme.record(free))
    assert charged(acme.database) == (1, 1)
    assert rows_of(acme.database, JournalEntryRow) == 0
    assert (acme.holds(), counts_agree(acme.database)) == (0, True)


async def test_a_call_whose_hold_a_crash_lost_is_free_where_its_credit_was_written_off_before_it_ended(
    process: ServingProcess, acme: GatedAccount, clock: FrozenClock
) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=PRICE_NANOS, expires_at=clock.now() + timedelta(hours=1))
    request = acme.request(1)
    claim = make_claim(account_id=acme.account.id, event_id=request.event_id)
    await process.gate.enter(Pass(claim, request))
    clock.advance(timedelta(hours=2))
    assert acme.credits.expire_due() == 0  # the call may need it
    _lose(acme, request)
    assert acme.credits.expire_due() == 1
    with pytest.raises(HoldLost):
        await process.recorder.record(replace(acme.record(request), claim=claim, answer=make_answer()))
    assert charged(acme.database) == (0, 0)
    assert rows_of(acme.database, ClaimRow) == 0  # or repeats would get for nothing what nobody has paid
    assert (acme.credits.balance(acme.account.id).total_nanos, counts_agree(acme.database)) == (0, True)
    assert found(acme) == []


async def test_a_call_that_failed_settles_nothing_and_gives_back_what_it_held(
    process: ServingProcess, acme: GatedAccount
) -> None:
    acme.credits.grant(acme.account.id, amount_nanos=PRICE_NANOS)
    entry, record = Pass(hold=(request := acme.request(1))), acme.record(request)
    await process.gate.enter(entry)
    failed = replace(record.event, outcome=Outcome.FAILED, units=0, amount_nanos=0)
    await process.recorder.record(replace(record, event=failed))
    process.gate.leave(entry)
    await process.gate.enter(Pass())
    assert (acme.holds(), counts_agree(acme.database)) == (0, True)
    assert found(acme) == []


def _under(record: Record, key_id: str) -> Record:
    return replace(record, event=replace(record.event, key_id=key_id))


def _lose(acme: GatedAccount, request: HoldRequest) -> None:
    """Take the hold away as a crash of the database does, with what its position counts of it."""
    with acme.database.transaction() as session:
        session.query(HoldRow).filter(HoldRow.event_id == request.event_id).delete()
        session.query(GatePositionRow).update({"held_requests": 0, "held_units": 0})
