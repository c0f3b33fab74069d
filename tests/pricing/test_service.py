"""Publishing and assigning, on both databases."""

import hashlib
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from sqlalchemy import select

from app.accounts.account import Account
from app.accounts.store import insert_account, latest_change
from app.clock import FrozenClock
from app.database import Database
from app.errors import Invalid, NotFound
from app.period import Period
from app.pricing.plan import PlanVersion
from app.pricing.service import CurrencyMismatch, PlanNotFound, Plans
from app.pricing.store import find_versions, plan_in_effect, plan_segments
from app.pricing.tables import PlanVersionRow

PLAN = """
key = "{key}"
currency = "{currency}"
billing = "postpaid"
base_fee = "{base_fee}"
[[price]]
model = "*"
meter = "units"
scheme = "per_unit"
unit_price = "0.002"
"""
HOUR = timedelta(hours=1)


def plan_text(key: str = "payg", *, currency: str = "USD", base_fee: str = "0") -> str:
    return PLAN.format(key=key, currency=currency, base_fee=base_fee)


@pytest.fixture
def plans(database: Database, clock: FrozenClock) -> Plans:
    return Plans(database, clock)


@pytest.fixture
def account(database: Database, clock: FrozenClock) -> Account:
    account = Account("acct_1", "Ada", "USD", "UTC", 1, clock.now() - 100 * HOUR)
    with database.transaction() as session:
        insert_account(session, account)
    return account


def change_count(database: Database) -> int:
    with database.reading() as session:
        return latest_change(session)


def test_versions_are_numbered_frozen_and_in_effect_from_their_publication(
    database: Database, plans: Plans, account: Account, clock: FrozenClock
) -> None:
    first = plans.publish(plan_text(base_fee="1"))
    plans.assign(account.id, "payg")
    clock.advance(HOUR)
    second = plans.publish(plan_text(base_fee="2"))

    assert (first.version, second.version) == (1, 2)
    assert plans.in_effect(account.id, clock.now() - timedelta(microseconds=1)) == first
    assert plans.in_effect(account.id, clock.now()) == second
    with database.reading() as session:
        assert find_versions(session, [first.id, second.id, "plv_none"]) == {first.id: first, second.id: second}


def test_a_version_is_stored_with_the_digest_of_its_document(database: Database, plans: Plans) -> None:
    published = plans.publish(plan_text())
    with database.reading() as session:
        row = session.scalars(select(PlanVersionRow).where(PlanVersionRow.id == published.id)).one()
        assert row.sha256 == hashlib.sha256(row.document.encode()).hexdigest()


def test_publishing_the_same_content_again_returns_the_version_in_effect(database: Database, plans: Plans) -> None:
    first = plans.publish(plan_text())
    changes = change_count(database)
    assert plans.publish("# another remark\n" + plan_text(base_fee="0.00")) == first
    assert change_count(database) == changes


def test_going_back_to_earlier_prices_is_a_new_version(plans: Plans) -> None:
    plans.publish(plan_text(base_fee="1"))
    plans.publish(plan_text(base_fee="2"))
    assert plans.publish(plan_text(base_fee="1")).version == 3


def test_a_clock_that_runs_behind_never_publishes_into_the_past(plans: Plans, clock: FrozenClock) -> None:
    first = plans.publish(plan_text(base_fee="1"))
    clock.advance(-HOUR)
    assert plans.publish(plan_text(base_fee="2")).published_at == first.published_at


def test_a_plan_keeps_its_currency(plans: Plans) -> None:
    plans.publish(plan_text())
    with pytest.raises(CurrencyMismatch, match="payg is in USD, not EUR"):
        plans.publish(plan_text(currency="EUR"))


def test_two_publishers_at_once_give_two_versions(plans: Plans) -> None:
    with ThreadPoolExecutor(2) as pool:
        published = list(pool.map(plans.publish, [plan_text(base_fee="1"), plan_text(base_fee="2")]))
    assert sorted(version.version for version in published) == [1, 2]


def test_two_publishers_of_one_content_at_once_give_one_version(plans: Plans) -> None:
    with ThreadPoolExecutor(2) as pool:
        first, second = pool.map(plans.publish, [plan_text()] * 2)
    assert first == second


def test_the_list_holds_the_newest_version_of_every_plan(plans: Plans) -> None:
    plans.publish(plan_text("b"))
    plans.publish(plan_text("a"))
    newest = plans.publish(plan_text("a", base_fee="5"))
    assert [(version.plan_key, version.version) for version in plans.list()] == [("a", 2), ("b", 1)]
    assert plans.newest("a") == newest


def test_every_publication_and_assignment_reaches_the_caches(
    database: Database, plans: Plans, account: Account
) -> None:
    before = change_count(database)
    plans.publish(plan_text())
    assert change_count(database) == before + 1
    plans.assign(account.id, "payg")
    assert change_count(database) == before + 2


def test_an_account_without_an_assignment_has_no_plan(plans: Plans, account: Account, clock: FrozenClock) -> None:
    plans.publish(plan_text())
    assert plans.in_effect(account.id, clock.now()) is None


def test_a_plan_may_be_assigned_for_later_and_the_last_word_for_an_instant_counts(
    plans: Plans, account: Account, clock: FrozenClock
) -> None:
    now, later = clock.now(), clock.now() + 24 * HOUR
    for key in ("a", "b", "c"):
        plans.publish(plan_text(key))
    plans.assign(account.id, "a")
    plans.assign(account.id, "b", starts_at=later)
    plans.assign(account.id, "c", starts_at=later)

    def key_at(instant: datetime) -> str | None:
        version = plans.in_effect(account.id, instant)
        return version.plan_key if version else None

    assert [key_at(now), key_at(later - HOUR), key_at(later)] == ["a", "a", "c"]
    plans.assign(account.id, "a", starts_at=later)
    assert key_at(later) == "a"


def test_assigning_the_plan_in_effect_changes_nothing(database: Database, plans: Plans, account: Account) -> None:
    plans.publish(plan_text())
    plans.assign(account.id, "payg")
    changes = change_count(database)
    plans.assign(account.id, "payg")
    assert change_count(database) == changes


def test_an_assignment_in_the_past_is_refused(plans: Plans, account: Account, clock: FrozenClock) -> None:
    plans.publish(plan_text())
    with pytest.raises(Invalid, match="a plan starts now or later"):
        plans.assign(account.id, "payg", starts_at=clock.now() - HOUR)
    with pytest.raises(Invalid, match="with its zone"):
        plans.assign(account.id, "payg", starts_at=clock.now().replace(tzinfo=None))


def test_an_unknown_plan_account_or_a_foreign_currency_is_refused(plans: Plans, account: Account) -> None:
    plans.publish(plan_text("euro", currency="EUR"))
    with pytest.raises(PlanNotFound, match="there is no plan 'payg'"):
        plans.assign(account.id, "payg")
    with pytest.raises(PlanNotFound):
        plans.newest("payg")
    with pytest.raises(NotFound, match="no account acct_2"):
        plans.assign("acct_2", "euro")
    with pytest.raises(CurrencyMismatch, match=r"euro is in EUR, account acct_1 in USD"):
        plans.assign(account.id, "euro")


def test_segments_read_from_the_database_agree_with_the_plan_in_effect(
    database: Database, plans: Plans, account: Account, clock: FrozenClock
) -> None:
    start = clock.now()
    history: list[PlanVersion] = []
    for step, key in enumerate("aabcab"):
        history.append(plans.publish(plan_text(key, base_fee=str(step))))
        clock.advance(HOUR)
        plans.assign(account.id, key)
        clock.advance(HOUR)
    period = Period(start, clock.now() + HOUR)

    with database.reading() as session:
        segments = plan_segments(session, account.id, period)
        for minutes in range(0, 13 * 60, 15):
            instant = start + timedelta(minutes=minutes)
            there = [segment.plan_version for segment in segments if instant in segment.period]
            assert there == [version for version in [plan_in_effect(session, account.id, instant)] if version]
    assert segments[0].period.start == start + HOUR
    assert segments[-1].period.end == period.end
    assert {segment.plan_version.id for segment in segments} == {version.id for version in history}


def test_versions_of_a_plan_come_newest_first_and_those_of_an_unknown_plan_not_at_all(plans: Plans) -> None:
    published = [plans.publish(plan_text(base_fee=fee)) for fee in ("1", "2", "3")]
    plans.publish(plan_text("other"))
    assert plans.versions("payg") == published[::-1]
    with pytest.raises(PlanNotFound):
        plans.versions("nothing")


def test_plans_to_come_are_those_that_count_after_now(plans: Plans, account: Account, clock: FrozenClock) -> None:
    for key in ("now", "soon", "sooner", "late"):
        plans.publish(plan_text(key))
    plans.assign(account.id, "now")
    late = plans.assign(account.id, "late", clock.now() + 2 * HOUR)
    plans.assign(account.id, "soon", clock.now() + HOUR)
    sooner = plans.assign(account.id, "sooner", clock.now() + HOUR)
    assert plans.to_come(account.id) == [sooner, late]
    assert plans.to_come("acct_other") == []
