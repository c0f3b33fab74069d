"""A budget's use has reached one of its thresholds: told once a window."""

from dataclasses import dataclass
from datetime import datetime

from app.accounts.budget import Measure, Window


@dataclass(frozen=True, slots=True)
class BudgetAlert:
    """What was passed, and where the budget stood then: `limit_value` and `used` in nanos or units, by the measure."""

    id: str
    budget_id: str
    account_id: str
    key_id: str | None
    measure: Measure
    window: Window
    window_start: datetime
    percent: int
    limit_value: int
    used: int
    created_at: datetime
