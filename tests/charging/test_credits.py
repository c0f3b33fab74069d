"""Credit: given once, paid back and written off as far as running calls let go, and each of it in the books."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest

from app.accounts.account import Account
from app.accounts.store import lock_account
from app.audit_log.actor import INSTALLATION, Actor, ActorKind
from app.audit_log.entry import AuditEntry
from app.audit_log.service import AuditLog
from app.charging.claim import IdempotencyKeyReused
from app.charging.credits import GrantNotRefundable, RefundTooLarge
from app.charging.gate import Pass
from app.charging.hold import HoldRequest, InsufficientBalance
from app.clock import FrozenClock
from app.database import Database
from app.errors import InvariantViolation, NotFound
from app.ledger.credit_grant import CreditExpiryPast, CreditGrant, CreditInvalid, GrantKind
from app.ledger.credit_history import CreditMovement
from app.ledger.history_store import trial_balance
from app.ledger.journal_entry import LedgerAccount
from tests.charging.gated_account import PRICE_NANOS, GatedAccount, open_gated_account
from tests.charging.serving_process import ServingProcess

DAY, MINUTE = timedelta(days=1), timedelta(minutes=1)
ADA = Actor(ActorKind.USER, "user_ada", "192.0.2.7")
PROMOTIONAL = GrantKind.PROMOTIONAL
CASH, CREDIT, REVENUE, EXPENSE, BREAKAGE = (
    LedgerAccount.CASH,
    LedgerAccount.CUSTOMER_CREDIT,
    LedgerAccount.USAGE_REVENUE,
    LedgerAccount.PROMOTIONAL_EXPENSE,
    LedgerAccount.BREAKAGE,
)


@pytest.fixture
def acme(database: Database, clock: FrozenClock) -> GatedAccount:
    return open_gated_account(database, clock)


def give(acme: GatedAccount, calls: int, **others: Any) -> CreditGrant:
    """Give credit for so many calls."""
    return acme.credits.grant(acme.account.id, amount_nanos=calls * PRICE_NANOS, **others)


def books(database: Database) -> dict[LedgerAccount, int]:
    """Return what each account of the books sums to, in prices of a call."""
    with database.reading() as session:
        return {each.ledger_account: each.amount_nanos // PRICE_NANOS for each in trial_balance(session)}


def balance(acme: GatedAccount) -> tuple[int, ...]:
    """Return what is available, held, and both, in prices of a call."""
    found = acme.credits.balance(acme.account.id)
    return tuple(nanos // PRICE_NANOS for nanos in (found.available_nanos, found.held_nanos, found.total_nanos))


def now_of(acme: GatedAccount, grant: CreditGrant) -> CreditGrant:
    (found,) = (each for each in acme.credits.grants(acme.account.id) if each.id == grant.id)
    return found


def history(acme: GatedAccount) -> list[CreditMovement]:
    return acme.credits.history(acme.account.id)


def entries(acme: GatedAccount) -> list[AuditEntry]:
    """Return what the audit log tells of credit, in order."""
    return [e for e in AuditLog(acme.database).list(acme.account.id)[::-1] if e.action.startswith("credit.")]


async def hold(process: ServingProcess, acme: GatedAccount, calls: int) -> HoldRequest:
    request = acme.request(calls)
    await process.gate.enter(Pass(hold=request))
    return request


def test_an_account_that_never_had_credit_has_a_balance_of_zero(acme: GatedAccount) -> None:
    found = acme.credits.balance(acme.account.id)
    assert (found.currency, found.as_of, balance(acme)) == ("USD", acme.clock.now(), (0, 0, 0))
    assert acme.credits.grants(acme.account.id) == []
    assert history(acme) == []
    with pytest.raises(NotFound):
        acme.credits.balance("acct_none")


def test_what_was_paid_for_comes_from_cash_and_what_was_given_is_an_expense(acme: GatedAccount) -> None:
    give(acme, 10)
    give(acme, 3, kind=PROMOTIONAL, expires_at=acme.clock.now() + DAY, note=" for the first steps ")
    assert {grant.note for grant in acme.credits.grants(acme.account.id)} == {"", "for the first steps"}
    assert balance(acme) == (13, 0, 13)
    assert books(acme.database) == {CASH: 10, EXPENSE: 3, CREDIT: -13}


def test_credit_of_one_creation_is_given_once_and_told_as_it_was_made(acme: GatedAccount, clock: FrozenClock) -> None:
    expires_at = clock.now() + DAY
    made = give(acme, 10, creation_id="order-1", expires_at=expires_at, by=ADA)
    acme.credits.refund(acme.account.id, made.id, PRICE_NANOS)
    clock.advance(2 * DAY)
    assert give(acme, 10, creation_id="order-1", expires_at=expires_at, by=ADA) == made
    assert len(acme.credits.grants(acme.account.id)) == 1
    assert [entry.action for entry in entries(acme)] == ["credit.granted", "credit.refunded"]


@pytest.mark.parametrize("other", [{"calls": 11}, {"kind": PROMOTIONAL}, {"priority": 1}, {"note": "x"}], ids=str)
def test_another_grant_under_the_same_creation_is_refused(acme: GatedAccount, other: dict[str, Any]) -> None:
    give(acme, 10, creation_id="order-1")
    with pytest.raises(IdempotencyKeyReused):
        give(acme, **{"calls": 10, "creation_id": "order-1", **other})
    assert balance(acme) == (10, 0, 10)


def test_credit_that_waited_for_its_account_is_given_when_it_got_it(
    acme: GatedAccount, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def lock_slowly(*args: Any) -> Account:
        account = lock_account(*args)
        clock.advance(MINUTE)
        return account

    monkeypatch.setattr("app.charging.credits.lock_account", lock_slowly)
    with pytest.raises(CreditExpiryPast):
        give(acme, 1, expires_at=clock.now() + MINUTE)
    asked_at = clock.now()
    grant = give(acme, 1)
    assert grant.created_at == asked_at + MINUTE
    assert acme.credits.refund(acme.account.id, grant.id).refunded_at == asked_at + 2 * MINUTE


def test_no_credit_is_booked_that_no_grant_stands_for(acme: GatedAccount, monkeypatch: pytest.MonkeyPatch) -> None:
    give(acme, 10, creation_id="order-1")
    monkeypatch.setattr("app.ledger.store.find_grant_of_creation", lambda *_: None)  # as if nobody had looked
    with pytest.raises(InvariantViolation):
        give(acme, 10, creation_id="order-1")
    assert books(acme.database) == {CASH: 10, CREDIT: -10}


async def test_of_many_that_give_the_same_credit_at_once_one_does(acme: GatedAccount) -> None:
    made = await asyncio.gather(*(asyncio.to_thread(give, acme, 10, creation_id="order-1") for _ in range(8)))
    assert len({grant.id for grant in made}) == 1
    assert balance(acme) == (10, 0, 10)


@pytest.mark.parametrize(
    ("wrong", "error"),
    [
        ({"amount_nanos": 0}, CreditInvalid),
        ({"amount_nanos": -1}, CreditInvalid),
        ({"amount_nanos": 10**18 + 1}, CreditInvalid),
        ({"priority": -1}, CreditInvalid),
        ({"priority": 101}, CreditInvalid),
        ({"note": "x" * 201}, CreditInvalid),
        ({"note": "two\nlines"}, CreditInvalid),
        ({"account_id": "acct_none"}, NotFound),
    ],
    ids=str,
)
def test_credit_that_makes_no_sense_is_refused(acme: GatedAccount, wrong: dict[str, Any], error: type) -> None:
    asked = {"account_id": acme.account.id, "amount_nanos": 1, **wrong}
    with pytest.raises(error):
        acme.credits.grant(**asked)
    assert (acme.credits.grants(acme.account.id), books(acme.database), entries(acme)) == ([], {}, [])


def test_credit_does_not_expire_in_the_past_or_at_no_instant(acme: GatedAccount) -> None:
    now = acme.clock.now()
    for expires_at in (now, now - DAY, (now + DAY).replace(tzinfo=None)):
        with pytest.raises(CreditExpiryPast):
            give(acme, 1, expires_at=expires_at)


async def test_what_running_calls_hold_is_not_available(process: ServingProcess, acme: GatedAccount) -> None:
    give(acme, 10)
    first, second = await hold(process, acme, 3), await hold(process, acme, 2)
    assert balance(acme) == (5, 5, 10)
    await process.recorder.record(acme.record(first))
    assert balance(acme) == (5, 2, 7)
    assert books(acme.database) == {CASH: 10, CREDIT: -7, REVENUE: -3}
    process.gate.leave(Pass(hold=second))
    await hold(process, acme, 7)
    assert balance(acme) == (0, 7, 7)


def test_a_refund_goes_back_where_the_money_came_from(acme: GatedAccount, clock: FrozenClock) -> None:
    grant = give(acme, 10)
    clock.advance(MINUTE)
    part = acme.credits.refund(acme.account.id, grant.id, 4 * PRICE_NANOS, by=ADA)
    assert (part.grant_id, part.currency, part.amount_nanos) == (grant.id, "USD", 4 * PRICE_NANOS)
    assert part.refunded_at == clock.now()
    clock.advance(MINUTE)
    assert acme.credits.refund(acme.account.id, grant.id).amount_nanos == 6 * PRICE_NANOS
    assert (balance(acme), books(acme.database)) == ((0, 0, 0), {CASH: 0, CREDIT: 0})
    left = now_of(acme, grant)
    assert (left.remaining_nanos, left.refunded_nanos, left.drawn_nanos) == (0, 10 * PRICE_NANOS, 0)
    told = [(each.amount_nanos // PRICE_NANOS, each.balance_nanos // PRICE_NANOS) for each in history(acme)]
    assert told == [(-6, 0), (-4, 6), (10, 10)]
    assert [each.id for each in history(acme)][1] == part.id


async def test_no_more_is_paid_back_than_running_calls_let_go(process: ServingProcess, acme: GatedAccount) -> None:
    given, paid = give(acme, 2, kind=PROMOTIONAL), give(acme, 10)
    running = await hold(process, acme, 5)
    with pytest.raises(RefundTooLarge, match=r"0.70 USD of \S+ may be paid back now") as refused:
        await asyncio.to_thread(acme.credits.refund, acme.account.id, paid.id, 8 * PRICE_NANOS)
    assert refused.value.facts == {"refundable": "0.70", "currency": "USD"}
    await asyncio.to_thread(acme.credits.refund, acme.account.id, paid.id)
    assert balance(acme) == (0, 5, 5)
    await process.recorder.record(acme.record(running))
    assert (now_of(acme, given).drawn_nanos, now_of(acme, paid).drawn_nanos) == (2 * PRICE_NANOS, 3 * PRICE_NANOS)
    with pytest.raises(RefundTooLarge):
        await asyncio.to_thread(acme.credits.refund, acme.account.id, paid.id)


def test_what_was_given_or_has_expired_is_not_paid_back(acme: GatedAccount, clock: FrozenClock) -> None:
    given = give(acme, 10, kind=PROMOTIONAL)
    old = give(acme, 10, expires_at=clock.now() + DAY)
    clock.advance(DAY)
    for grant in (given, old):
        with pytest.raises(GrantNotRefundable):
            acme.credits.refund(acme.account.id, grant.id)


def test_a_refund_is_of_the_accounts_own_credit(acme: GatedAccount) -> None:
    grant = give(acme, 10)
    stranger = open_gated_account(acme.database, acme.clock).account.id
    for account_id, grant_id in ((stranger, grant.id), (acme.account.id, "grant_none"), ("acct_none", grant.id)):
        with pytest.raises(NotFound):
            acme.credits.refund(account_id, grant_id)
    assert acme.credits.account_of(grant.id) == acme.account.id
    with pytest.raises(NotFound):
        acme.credits.account_of("grant_none")


def test_a_refund_of_one_creation_is_made_once(acme: GatedAccount) -> None:
    grant, other = give(acme, 10), give(acme, 10)
    made = acme.credits.refund(acme.account.id, grant.id, 4 * PRICE_NANOS, creation_id="back-1", by=ADA)
    assert acme.credits.refund(acme.account.id, grant.id, 4 * PRICE_NANOS, creation_id="back-1", by=ADA) == made
    for grant_id, nanos in ((grant.id, 5 * PRICE_NANOS), (other.id, 4 * PRICE_NANOS)):
        with pytest.raises(IdempotencyKeyReused):
            acme.credits.refund(acme.account.id, grant_id, nanos, creation_id="back-1")
    assert balance(acme) == (16, 0, 16)
    assert [entry.action for entry in entries(acme)].count("credit.refunded") == 1


def test_what_expires_unused_is_written_off_once(acme: GatedAccount, clock: FrozenClock) -> None:
    paid = give(acme, 10, expires_at=clock.now() + DAY)
    given = give(acme, 3, kind=PROMOTIONAL, expires_at=clock.now() + DAY)
    give(acme, 1)
    clock.advance(DAY - MINUTE)
    assert acme.credits.expire_due() == 0
    clock.advance(MINUTE)
    assert balance(acme) == (1, 0, 1)  # from the very instant, not from the job's next round
    assert [acme.credits.expire_due(), acme.credits.expire_due()] == [2, 0]
    assert books(acme.database) == {CASH: 11, EXPENSE: 0, CREDIT: -1, BREAKAGE: -10}
    assert {now_of(acme, each).expired_nanos // PRICE_NANOS for each in (paid, given)} == {10, 3}
    assert [entry.actor for entry in entries(acme) if entry.action == "credit.expired"] == [INSTALLATION] * 2


async def test_what_a_running_call_holds_is_written_off_only_when_it_is_let_go(
    process: ServingProcess, acme: GatedAccount, clock: FrozenClock
) -> None:
    grant = give(acme, 10, expires_at=clock.now() + DAY)
    paying, failing = await hold(process, acme, 3), await hold(process, acme, 2)
    clock.advance(DAY)
    assert await asyncio.to_thread(acme.credits.expire_due) == 1
    assert now_of(acme, grant).remaining_nanos == 5 * PRICE_NANOS
    with pytest.raises(InsufficientBalance):
        await hold(process, acme, 1)
    await process.recorder.record(acme.record(paying))
    process.gate.leave(Pass(hold=failing))
    with pytest.raises(InsufficientBalance):  # behind the one that leaves
        await hold(process, acme, 1)
    assert await asyncio.to_thread(acme.credits.expire_due) == 1
    left = now_of(acme, grant)
    assert (left.remaining_nanos, left.expired_nanos, left.drawn_nanos) == (0, 7 * PRICE_NANOS, 3 * PRICE_NANOS)
    assert books(acme.database) == {CASH: 10, REVENUE: -3, BREAKAGE: -7, CREDIT: 0}


async def test_credit_is_given_paid_back_and_written_off_among_running_calls(
    process: ServingProcess, other_process: ServingProcess, acme: GatedAccount, clock: FrozenClock
) -> None:
    """Two processes, refunds and the job at once: nobody takes what another has taken, and the books balance."""
    grant = give(acme, 20)
    give(acme, 10, expires_at=clock.now() + DAY, kind=PROMOTIONAL)

    async def call(on: ServingProcess) -> None:
        request = await hold(on, acme, 1)
        await on.recorder.record(acme.record(request))

    def pay_back() -> None:
        acme.credits.refund(acme.account.id, grant.id, PRICE_NANOS)

    calls = [call((process, other_process)[index % 2]) for index in range(40)]
    changes: list[Callable[[], object]] = [pay_back] * 10 + [acme.credits.expire_due] * 5
    others = [asyncio.to_thread(change) for change in changes]
    clock.advance(DAY)
    results = await asyncio.gather(*calls, *others, return_exceptions=True)
    refused = {type(each) for each in results if isinstance(each, BaseException)}
    assert refused <= {InsufficientBalance, RefundTooLarge}
    served = sum(each is None for each in results[:40])
    paid_back = sum(each is None for each in results[40:50])
    summed = books(acme.database)
    assert (summed[REVENUE], summed[CASH], sum(summed.values())) == (-served, 20 - paid_back, 0)
    left_nanos = sum(each.remaining_nanos for each in acme.credits.grants(acme.account.id))
    assert left_nanos // PRICE_NANOS == -summed[CREDIT]


def test_each_change_of_credit_names_who_made_it(acme: GatedAccount) -> None:
    grant = give(acme, 15, by=ADA)
    acme.credits.refund(acme.account.id, grant.id, by=ADA)
    granted, refunded = entries(acme)
    assert granted.actor == refunded.actor == ADA
    assert granted.target == refunded.target == grant.id
    assert dict(granted.details) == {"amount": "1.50", "currency": "USD", "kind": "paid"}
    assert dict(refunded.details) == dict(granted.details)
