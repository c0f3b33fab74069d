"""Grants and the journal in the database: nothing is drawn twice, nothing is booked twice."""

from datetime import timedelta

import pytest

from app.accounts.account import Account
from app.database import ConstraintViolated, Database
from app.ledger import store
from app.ledger.credit_grant import CreditGrant, GrantKind
from app.ledger.drawdown import Draw
from app.ledger.journal_entry import LedgerAccount, SourceKind
from app.ledger.store import UsageDraws
from tests.builders import ACCOUNT, NOON, open_account
from tests.ledger.grants import make_grant, make_grant_entry

QUARTER = timedelta(minutes=15)


@pytest.fixture
def account(database: Database) -> Account:
    return open_account(database)


def insert(database: Database, *grants: CreditGrant) -> None:
    with database.transaction() as session:
        for grant in grants:
            assert store.insert_grant(session, grant, creation_id=None)


def remaining(database: Database) -> dict[str, int]:
    with database.reading() as session:
        return {grant.id: grant.remaining_nanos for grant in store.list_grants(session, ACCOUNT, None, None)}


def usage(database: Database, at: int = 0) -> dict[tuple[LedgerAccount, str], int]:
    """Return the postings of the entry of a quarter of an hour."""
    with database.reading() as session:
        entry = store.find_entry(session, ACCOUNT, SourceKind.USAGE, (NOON + at * QUARTER).isoformat())
    return {(each.ledger_account, each.grant_id): each.amount_nanos for each in entry.postings} if entry else {}


def test_a_grant_is_read_as_it_was_written(database: Database, account: Account) -> None:
    grant = make_grant("g1", 10**18, kind=GrantKind.PROMOTIONAL, priority=3, expires_at=NOON + QUARTER, note="Für Ada")
    insert(database, grant)
    with database.reading() as session:
        assert store.find_grant(session, ACCOUNT, "g1") == grant
        assert store.find_grant(session, "acct_2", "g1") is None


def test_a_creation_makes_one_grant(database: Database, account: Account) -> None:
    with database.transaction() as session:
        assert store.insert_grant(session, make_grant("g1"), creation_id="order-1")
        assert not store.insert_grant(session, make_grant("g2"), creation_id="order-1")
        assert store.insert_grant(session, make_grant("g3"), creation_id=None)
        assert store.insert_grant(session, make_grant("g4"), creation_id=None)
        found = store.find_grant_of_creation(session, ACCOUNT, "order-1")
    assert found == make_grant("g1")
    assert set(remaining(database)) == {"g1", "g3", "g4"}


def test_live_grants_are_those_of_which_something_is_left(database: Database, account: Account) -> None:
    insert(database, make_grant("g1", 5), make_grant("g2", 7, expires_at=NOON + QUARTER))
    with database.transaction() as session:
        store.apply_draws(session, {"g1": 5, "g2": 3})
        live = store.live_grants(session, [ACCOUNT, "acct_2"])
    assert [(grant.id, grant.remaining_nanos) for grant in live[ACCOUNT]] == [("g2", 4)]
    assert live["acct_2"] == []


def test_nobody_draws_more_than_is_left(database: Database, account: Account) -> None:
    insert(database, make_grant("g1", 5), make_grant("g2", 5))
    with pytest.raises(ConstraintViolated), database.transaction() as session:
        store.apply_draws(session, {"g1": 1, "g2": 6})
    assert remaining(database) == {"g1": 5, "g2": 5}


def test_what_is_refunded_or_expires_leaves_the_rest(database: Database, account: Account) -> None:
    insert(database, make_grant("g1", 10))
    with database.transaction() as session:
        store.apply_draws(session, {"g1": 1})
        store.take_back(session, "g1", refunded_nanos=2)
        store.take_back(session, "g1", expired_nanos=3)
        grant = store.find_grant(session, ACCOUNT, "g1")
    assert grant
    assert (grant.remaining_nanos, grant.refunded_nanos, grant.expired_nanos, grant.drawn_nanos) == (4, 2, 3, 1)


def test_a_source_is_booked_once(database: Database, account: Account) -> None:
    entry = make_grant_entry(make_grant("g1", 5))
    with database.transaction() as session:
        assert store.post(session, entry)
    with database.transaction() as session:
        assert not store.post(session, make_grant_entry(make_grant("g1", 5)))
        assert store.find_entry(session, ACCOUNT, SourceKind.GRANT, "g1") == entry


def test_usage_of_a_quarter_of_an_hour_is_one_entry_that_grows(database: Database, account: Account) -> None:
    first = [Draw("g1", 5), Draw("g2", 1)]
    for draws, bucket in ((first, NOON), ([Draw("g2", 3), Draw("g2", 1)], NOON), ([Draw("g2", 7)], NOON + QUARTER)):
        with database.transaction() as session:
            store.post_usage(session, [UsageDraws(ACCOUNT, "USD", bucket, tuple(draws))], NOON + QUARTER)
    credit, revenue = LedgerAccount.CUSTOMER_CREDIT, LedgerAccount.USAGE_REVENUE
    assert usage(database) == {(credit, "g1"): 5, (credit, "g2"): 5, (revenue, ""): -10}
    assert usage(database, 1) == {(credit, "g2"): 7, (revenue, ""): -7}


def test_usage_that_cost_nothing_is_not_booked(database: Database, account: Account) -> None:
    for draws in ([], [Draw("g1", 0)]):
        with database.transaction() as session:
            store.post_usage(session, [UsageDraws(ACCOUNT, "USD", NOON, tuple(draws))], NOON)
    assert usage(database) == {}
