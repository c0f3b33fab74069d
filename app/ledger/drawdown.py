"""In which order credit is drawn, and what of it may be written off when it expires. Pure.

Order: the lowest priority number first; of equal ones what expires soonest, never last; then what was given before what
was paid for; then the oldest. So nothing that the customer paid for is used while something given would have done.

A call counts on the credit that is valid when it is admitted, and draws as of that instant, however long it runs. What
expires meanwhile stays in place as far as running calls may need it: what is left of all grants, expired ones included,
is never less than what running calls hold, and a call that was admitted can always be paid.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from app.errors import InvariantViolation
from app.ledger.credit_grant import CreditGrant, GrantKind

_NEVER = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Draw:
    """What is taken from one grant."""

    grant_id: str
    amount_nanos: int


def in_order(grants: Iterable[CreditGrant]) -> list[CreditGrant]:
    """Return the grants in the order in which they are drawn."""
    return sorted(grants, key=_rank)


def draw(grants: Iterable[CreditGrant], amount_nanos: int, at: datetime) -> tuple[Draw, ...]:
    """Return how an amount is taken: from the grants that were valid at an instant, in order.

    `at` is the instant at which the call was admitted. Only where those do not suffice does it fall to what had expired
    before and was left in place for running calls: a call that was released moves those behind it to dearer tiers.
    Raises InvariantViolation where all of it does not suffice: the gate admits no such call.
    """
    if amount_nanos < 0:
        raise InvariantViolation(f"{amount_nanos} nanos cannot be drawn")
    draws: list[Draw] = []
    for grant in sorted(in_order(grants), key=lambda grant: not grant.valid_at(at)):
        taken = min(grant.remaining_nanos, amount_nanos)
        if taken:
            draws.append(Draw(grant.id, taken))
            amount_nanos -= taken
    if amount_nanos:
        raise InvariantViolation(f"the credit is {amount_nanos} nanos short of what was held")
    return tuple(draws)


def by_grant(draws: Iterable[Draw]) -> dict[str, int]:
    """Return the nanos that are drawn of each grant."""
    sums: dict[str, int] = {}
    for each in draws:
        sums[each.grant_id] = sums.get(each.grant_id, 0) + each.amount_nanos
    return sums


def expirable(grants: Iterable[CreditGrant], held_nanos: int, now: datetime) -> dict[str, int]:
    """Return what may be written off of each expired grant: all but what running holds may still need.

    What expired last is kept first: a hold may draw on what was valid when its call was admitted, and on nothing that
    had expired by then.
    """
    expired = [grant for grant in grants if grant.remaining_nanos and not grant.valid_at(now)]
    gone: dict[str, int] = {}
    for grant in sorted(expired, key=_expiry_of, reverse=True):
        kept = min(grant.remaining_nanos, held_nanos)
        held_nanos -= kept
        if grant.remaining_nanos > kept:
            gone[grant.id] = grant.remaining_nanos - kept
    return gone


def _rank(grant: CreditGrant) -> tuple[int, datetime, bool, datetime, str]:
    return grant.priority, _expiry_of(grant), grant.kind is GrantKind.PAID, grant.created_at, grant.id


def _expiry_of(grant: CreditGrant) -> datetime:
    return grant.expires_at or _NEVER
