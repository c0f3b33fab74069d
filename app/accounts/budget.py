"""Budgets: how much an account, or one of its keys, may spend or use in a day, a month, or at all."""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from zoneinfo import ZoneInfo

from app.accounts.account import Account
from app.errors import Invalid
from app.period import Period, midnight, period_at

THRESHOLD_PERCENT_MAX = 1000
THRESHOLDS_MAX = 10
DEFAULT_THRESHOLDS = (80, 100)
LIMIT_VALUE_MAX = 10**18
FOR_EVER = Period(datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC))


class Measure(StrEnum):
    """What a budget counts: money in nanos of the account's currency, or units (then it is called a quota)."""

    MONEY = "money"
    UNITS = "units"


class Window(StrEnum):
    """How long a budget counts before it starts anew: a local day, a billing period, or for ever."""

    DAY = "day"
    MONTH = "month"
    TOTAL = "total"


class BudgetInvalid(Invalid):
    """A budget's limit or thresholds make no sense."""

    code = "budget_invalid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Budget:
    """One bound: of the account, or of one key where `key_id` is set. There is one of each kind at most.

    `limit_value` is in nanos or units, by `measure`. A hard budget refuses the call that would exceed it, a soft one
    only tells: at each of the `thresholds`, in percent of the limit.
    """

    id: str
    account_id: str
    key_id: str | None
    measure: Measure
    window: Window
    limit_value: int
    hard: bool
    thresholds: tuple[int, ...]
    created_at: datetime

    @property
    def name(self) -> str:
        """What a refusal calls it: `key_budget_day`, `account_quota_month`."""
        owner = "key" if self.key_id else "account"
        return f"{owner}_{'budget' if self.measure is Measure.MONEY else 'quota'}_{self.window}"

    def window_at(self, instant: datetime, account: Account) -> Period:
        """Return the stretch of time in which a call of that instant counts, in the account's zone."""
        return window_at(self.window, instant, account)


def window_at(window: Window, instant: datetime, account: Account) -> Period:
    """Return the day, billing period or whole time that holds the instant."""
    match window:
        case Window.DAY:
            return _day_at(instant, account.zone)
        case Window.MONTH:
            return _month_at(instant, account.anchor_day, account.zone)
        case Window.TOTAL:
            return FOR_EVER


def checked_limit(value: int, *, where: str = "limit") -> int:
    """Return a budget's limit. Raises BudgetInvalid below zero and above 1e18 (1e9 currency units in nanos)."""
    if not 0 <= value <= LIMIT_VALUE_MAX:
        raise BudgetInvalid(
            "a limit is 0 to 1e9 currency units, or 0 to 1e18 units", where=where, hint="remove the budget for none"
        )
    return value


def checked_thresholds(percents: tuple[int, ...], *, where: str = "thresholds") -> tuple[int, ...]:
    """Return the thresholds in ascending order, each once. Raises BudgetInvalid outside 1 to 1000 percent."""
    thresholds = tuple(sorted(set(percents)))
    if len(thresholds) > THRESHOLDS_MAX or any(not 1 <= each <= THRESHOLD_PERCENT_MAX for each in thresholds):
        raise BudgetInvalid(
            f"thresholds are up to {THRESHOLDS_MAX} numbers of 1 to {THRESHOLD_PERCENT_MAX} percent",
            where=where,
            hint="80 and 100 are usual",
        )
    return thresholds


# Both are asked for each call; neighbouring calls share the answer, which is computed from the calendar.


def _day_at(instant: datetime, zone: str) -> Period:
    return _day_of(instant.replace(minute=instant.minute // 15 * 15, second=0, microsecond=0), zone)


def _month_at(instant: datetime, anchor_day: int, zone: str) -> Period:
    return _month_of(instant.replace(minute=instant.minute // 15 * 15, second=0, microsecond=0), anchor_day, zone)


@lru_cache(maxsize=4096)
def _day_of(instant: datetime, zone: str) -> Period:
    today = instant.astimezone(ZoneInfo(zone)).date()
    return Period(midnight(today, ZoneInfo(zone)), midnight(today + timedelta(days=1), ZoneInfo(zone)))


@lru_cache(maxsize=4096)
def _month_of(instant: datetime, anchor_day: int, zone: str) -> Period:
    return period_at(instant, anchor_day, ZoneInfo(zone))
