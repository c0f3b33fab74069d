"""A hold: what a call may use and cost at most, set aside before it runs; and why the gate may refuse one."""

from dataclasses import dataclass
from datetime import datetime

from app.errors import AppError, Kind
from app.metering.meter import Quantities
from app.pricing.plan import PlanVersion


class InsufficientBalance(AppError):
    """The account's credit does not cover the call."""

    kind = Kind.PAYMENT_REQUIRED
    code = "insufficient_balance"


class BudgetExceeded(AppError):
    """The call would cost more than what is left of a budget."""

    kind = Kind.PAYMENT_REQUIRED
    code = "budget_exceeded"


class QuotaExceeded(AppError):
    """The call would use more units than what is left of a quota; trying again does not help, as it does for rates."""

    kind = Kind.PAYMENT_REQUIRED
    code = "quota_exceeded"


@dataclass(frozen=True, slots=True)
class HoldRequest:
    """A call that asks to pass the gate. `most` is what it may use at most: known before it runs.

    `key_id` is the key under which its budgets are kept: the first of those that were rotated into one another.
    """

    event_id: str
    account_id: str
    key_id: str
    live: bool
    plan_version: PlanVersion
    model: str
    occurred_at: datetime
    most: Quantities


@dataclass(frozen=True, slots=True)
class Hold:
    """What was set aside for a running call.

    `position` is how far the account was in its tiers, settled and held, and `amount_nanos` what `most` costs from
    there: the amount that a budget of the key counts. `budget_ids` are of the counters that hold a part of it.
    """

    event_id: str
    account_id: str
    key_id: str
    live: bool
    plan_version_id: str
    model: str
    occurred_at: datetime
    most: Quantities
    position: Quantities
    amount_nanos: int
    budget_ids: frozenset[str]
