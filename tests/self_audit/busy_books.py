"""Books in which something stands wherever the audit looks, and all of it agrees."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from app.accounts.budget import Measure, Window
from app.billing.invoice_run import InvoiceRun
from app.charging.gate import Pass
from app.charging.hold import HoldRequest
from app.clock import FrozenClock
from app.database import Database
from app.ledger.credit_grant import GrantKind
from app.metering.usage_event import Outcome
from app.period import Month
from tests.builders import make_answer, make_claim
from tests.charging.gated_account import PRICE_NANOS, GatedAccount, open_gated_account
from tests.charging.serving_process import ServingProcess, serving

IN_FEBRUARY = datetime(2026, 2, 10, 9, 7, 31, 5, tzinfo=UTC)
IN_MARCH = datetime(2026, 3, 15, 12, tzinfo=UTC)
DOLLAR = 10**9


async def keep_busy_books(database: Database) -> None:
    """Let a prepaid and a postpaid account use, hold, owe and pay, from February to the middle of March 2026."""
    clock = FrozenClock(IN_FEBRUARY)
    prepaid, postpaid = (open_gated_account(database, clock, billing=each) for each in ("prepaid", "postpaid"))
    prepaid.credits.grant(prepaid.account.id, amount_nanos=5 * DOLLAR, kind=GrantKind.PROMOTIONAL, priority=0)
    lapsing = datetime(2026, 3, 1, tzinfo=UTC)
    prepaid.credits.grant(prepaid.account.id, amount_nanos=90 * DOLLAR, expires_at=lapsing, priority=0)
    bought = prepaid.credits.grant(prepaid.account.id, amount_nanos=100 * DOLLAR)
    async with serving(database, clock) as process:
        for instant in (IN_FEBRUARY, IN_MARCH):
            clock.move_to(instant)
            await _call(process, clock, prepaid)
            await _call(process, clock, postpaid)
            _set_budgets(prepaid)
            _set_budgets(postpaid)
            await _call(process, clock, postpaid)
            await _answer_once(process, postpaid)
        await _hold(process, prepaid)
    prepaid.credits.refund(prepaid.account.id, bought.id, 7 * DOLLAR)
    assert prepaid.credits.expire_due() == 1
    InvoiceRun(database, clock, 3600).run(Month(2026, 2))


def _set_budgets(account: GatedAccount) -> None:
    """Set a budget of each kind of the account and of its key, none of which is reached."""
    for key_id in (None, account.key_id):
        for measure in Measure:
            for window in Window:
                account.budgets.set(
                    account.account.id, key_id=key_id, measure=measure, window=window, limit_value=10**15
                )


async def _call(process: ServingProcess, clock: FrozenClock, account: GatedAccount) -> None:
    """Make calls of both models, one with a test key among them, and one that fails."""
    for model, units in (("linear", 3), ("tiered", 9), ("linear", 4), ("tiered", 5)):
        await _run(process, account, account.request(units, model=model))
        clock.advance(timedelta(minutes=9))
    await _run(process, account, account.request(6, live=False))
    failed = account.record(account.request(8))
    event = replace(failed.event, outcome=Outcome.FAILED, units=0, amount_nanos=0)
    await process.recorder.record(replace(failed, event=event))


async def _run(process: ServingProcess, account: GatedAccount, request: HoldRequest) -> None:
    await process.gate.enter(Pass(hold=request))
    record = account.record(request)
    exact = request.most.units * PRICE_NANOS if request.model == "linear" else None
    event = replace(record.event, amount_nanos=exact if request.live else 0)
    await process.recorder.record(replace(record, event=event))


async def _answer_once(process: ServingProcess, account: GatedAccount) -> None:
    """Make a call under an idempotency key."""
    request = account.request(2)
    claim = make_claim(key=request.event_id, event_id=request.event_id, account_id=account.account.id)
    await process.gate.enter(Pass(claim, request))
    record = account.record(request)
    event = replace(record.event, amount_nanos=2 * PRICE_NANOS)
    await process.recorder.record(replace(record, event=event, claim=claim, answer=make_answer()))


async def _hold(process: ServingProcess, account: GatedAccount) -> None:
    """Let calls begin and never end."""
    for model in ("linear", "tiered"):
        await process.gate.enter(Pass(hold=account.request(2, model=model)))
