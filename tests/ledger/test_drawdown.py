"""The order in which credit is drawn, against an oracle that takes one nano at a time; and what may expire."""

from dataclasses import replace
from datetime import datetime, timedelta
from functools import cmp_to_key

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import InvariantViolation
from app.ledger.credit_grant import CreditGrant, GrantKind, valid_nanos
from app.ledger.drawdown import Draw, by_grant, draw, expirable, in_order
from tests.builders import NOON
from tests.ledger.grants import make_grant

DAY = timedelta(days=1)
PAID, PROMOTIONAL = GrantKind.PAID, GrantKind.PROMOTIONAL
INSTANTS = st.integers(-3, 3).map(lambda days: NOON + days * DAY)


@st.composite
def grants(draw_value: st.DrawFn) -> list[CreditGrant]:
    """Up to six grants, alike enough for every rule of the order to decide between some of them."""
    count = draw_value(st.integers(0, 6))
    made = []
    for index in draw_value(st.permutations(range(count))):
        amount = draw_value(st.integers(1, 9))
        made.append(
            make_grant(
                f"g{index}",
                amount,
                remaining_nanos=draw_value(st.integers(0, amount)),
                kind=draw_value(st.sampled_from(GrantKind)),
                priority=draw_value(st.integers(0, 1)),
                expires_at=draw_value(st.none() | INSTANTS),
                created_at=draw_value(INSTANTS),
            )
        )
    return made


def compared(one: CreditGrant, other: CreditGrant) -> int:
    """Tell which of two comes first, by the words of the decision: below zero, the one."""
    if one.priority != other.priority:
        return one.priority - other.priority
    if one.expires_at != other.expires_at:
        if one.expires_at is None or other.expires_at is None:
            return 1 if one.expires_at is None else -1
        return -1 if one.expires_at < other.expires_at else 1
    if one.kind is not other.kind:
        return -1 if one.kind is PROMOTIONAL else 1
    if one.created_at != other.created_at:
        return -1 if one.created_at < other.created_at else 1
    return -1 if one.id < other.id else 1


def taken_nano_by_nano(mine: list[CreditGrant], nanos: int, at_days: int) -> dict[str, int]:
    """Return what is drawn of each grant where each nano looks for the first grant anew: valid ones, then the rest."""
    at = NOON + at_days * DAY
    left = {grant.id: grant.remaining_nanos for grant in mine}
    for _ in range(nanos):
        able = [grant for grant in mine if left[grant.id]]
        valid = [grant for grant in able if grant.valid_at(at)]
        left[min(valid or able, key=cmp_to_key(compared)).id] -= 1
    return {
        grant.id: grant.remaining_nanos - left[grant.id] for grant in mine if grant.remaining_nanos > left[grant.id]
    }


def expiry_of(grant: CreditGrant) -> datetime:
    assert grant.expires_at
    return grant.expires_at


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (make_grant("b", priority=0), make_grant("a", priority=1, kind=PROMOTIONAL, expires_at=NOON + DAY)),
        (make_grant("b", expires_at=NOON + DAY), make_grant("a", expires_at=NOON + 2 * DAY, kind=PROMOTIONAL)),
        (make_grant("b", expires_at=NOON + DAY), make_grant("a", kind=PROMOTIONAL)),
        (make_grant("b", kind=PROMOTIONAL), make_grant("a", kind=PAID, created_at=NOON - DAY)),
        (make_grant("b", created_at=NOON - DAY), make_grant("a")),
    ],
    ids=["priority", "sooner expiry", "any expiry", "given before paid", "older"],
)
def test_of_two_grants_one_comes_first(first: CreditGrant, second: CreditGrant) -> None:
    assert in_order([second, first]) == in_order([first, second]) == [first, second]


@given(grants(), st.data())
def test_what_is_drawn_is_what_the_oracle_takes(mine: list[CreditGrant], data: st.DataObject) -> None:
    nanos = data.draw(st.integers(0, sum(grant.remaining_nanos for grant in mine)))
    at_days = data.draw(st.integers(-4, 4))
    draws = draw(mine, nanos, NOON + at_days * DAY)
    assert by_grant(draws) == taken_nano_by_nano(mine, nanos, at_days)
    assert sum(each.amount_nanos for each in draws) == nanos
    assert len({each.grant_id for each in draws}) == len(draws)


@given(grants(), st.integers(1, 5))
def test_more_than_there_is_cannot_be_drawn(mine: list[CreditGrant], more: int) -> None:
    with pytest.raises(InvariantViolation):
        draw(mine, sum(grant.remaining_nanos for grant in mine) + more, NOON)


def test_less_than_nothing_cannot_be_drawn() -> None:
    with pytest.raises(InvariantViolation):
        draw([make_grant()], -1, NOON)


def test_credit_is_valid_up_to_the_instant_of_its_expiry_and_not_at_it() -> None:
    mine = [make_grant("g1", 5, expires_at=NOON), make_grant("g2", 7)]
    assert draw(mine, 1, NOON - timedelta(microseconds=1)) == (Draw("g1", 1),)
    assert draw(mine, 1, NOON) == (Draw("g2", 1),)
    assert valid_nanos(mine, NOON - timedelta(microseconds=1)) == 12
    assert valid_nanos(mine, NOON) == 7


def test_credit_that_came_after_the_call_was_admitted_may_pay_for_it() -> None:
    assert draw([make_grant("g1", created_at=NOON + DAY)], 1, NOON) == (Draw("g1", 1),)


@given(grants(), st.integers(0, 30), INSTANTS)
def test_what_expires_is_all_but_what_may_be_held_and_the_latest_is_kept(
    mine: list[CreditGrant], held_nanos: int, now: datetime
) -> None:
    gone = expirable(mine, held_nanos, now)
    expired = {grant.id: grant for grant in mine if grant.remaining_nanos and not grant.valid_at(now)}
    kept = {name: grant.remaining_nanos - gone.get(name, 0) for name, grant in expired.items()}
    assert gone.keys() <= expired.keys()
    assert all(0 < gone[name] <= expired[name].remaining_nanos for name in gone)
    assert sum(kept.values()) == min(held_nanos, sum(grant.remaining_nanos for grant in expired.values()))
    for name in gone:
        earlier = [other for other in expired if expiry_of(expired[other]) < expiry_of(expired[name])]
        assert not any(kept[other] for other in earlier)


def test_what_is_left_is_told_apart_from_what_was_used() -> None:
    grant = replace(make_grant("g1", 10, remaining_nanos=1), refunded_nanos=2, expired_nanos=3)
    assert grant.drawn_nanos == 4
