"""A journal entry that does not balance cannot be made."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvariantViolation
from app.ledger.journal_entry import JournalEntry, LedgerAccount, Posting, transfer, usage_postings
from tests.ledger.grants import make_grant, make_grant_entry

CASH, CREDIT, REVENUE = LedgerAccount.CASH, LedgerAccount.CUSTOMER_CREDIT, LedgerAccount.USAGE_REVENUE


def entry_of(*postings: Posting) -> JournalEntry:
    return replace(make_grant_entry(make_grant()), postings=postings)


@pytest.mark.parametrize(
    "postings",
    [
        (),
        (Posting(CASH, 5),),
        (Posting(CASH, 5), Posting(CREDIT, -4)),
        (Posting(CASH, 0), Posting(CREDIT, 0)),
        (Posting(CASH, 5), Posting(CASH, -5)),
        (Posting(CREDIT, 2, "g1"), Posting(CREDIT, 3, "g1"), Posting(REVENUE, -5)),
    ],
    ids=["nothing", "one leg", "out of balance", "nothing moved", "to itself", "twice to one place"],
)
def test_an_entry_that_does_not_balance_is_refused(postings: tuple[Posting, ...]) -> None:
    with pytest.raises(InvariantViolation):
        entry_of(*postings)


@given(st.integers(1, 10**18))
def test_a_transfer_balances(nanos: int) -> None:
    assert entry_of(*transfer(CASH, CREDIT, nanos, "g1")).postings == (
        Posting(CASH, nanos, "g1"),
        Posting(CREDIT, -nanos, "g1"),
    )


@given(st.dictionaries(st.text("abc", min_size=1), st.integers(1, 10**18), min_size=1, max_size=5))
def test_usage_balances_and_names_each_grant(drawn_nanos: dict[str, int]) -> None:
    *debits, revenue = entry_of(*usage_postings(drawn_nanos)).postings
    assert {each.grant_id: each.amount_nanos for each in debits} == drawn_nanos
    assert revenue == Posting(REVENUE, -sum(drawn_nanos.values()))
