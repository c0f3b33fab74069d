"""What the gate says when it refuses: which bound, how large it is, what is left of it, and when it starts anew."""

from datetime import datetime
from math import ceil

from app.accounts.budget import FOR_EVER, Budget, Measure
from app.charging.hold import BudgetExceeded, InsufficientBalance, QuotaExceeded
from app.errors import AppError
from app.money import format_money
from app.period import Period


def balance_refusal(currency: str, *, needed_nanos: int, available_nanos: int) -> InsufficientBalance:
    """Return the refusal of a call that the account's credit does not cover."""
    needed, available = (format_money(nanos, currency) for nanos in (needed_nanos, max(0, available_nanos)))
    return InsufficientBalance(
        f"this call costs {needed} {currency} at most, and {available} is available",
        hint="top up the balance, or send fewer inputs; GET /v1/balance tells what running calls hold",
        limit="balance",
        needed=needed,
        available=available,
        currency=currency,
    )


def budget_refusal(
    budget: Budget, window: Period, currency: str, *, asked: int, used: int, at: datetime
) -> BudgetExceeded | QuotaExceeded:
    """Return the refusal of a call that a hard budget or quota does not allow."""
    is_money = budget.measure is Measure.MONEY
    refusal: type[BudgetExceeded | QuotaExceeded] = BudgetExceeded if is_money else QuotaExceeded
    limit, spent, more = (
        format_money(value, currency) if is_money else value for value in (budget.limit_value, used, asked)
    )
    ends = None if window == FOR_EVER else window.end
    return refusal(
        f"{budget.name} is {limit} {currency if is_money else 'units'}: {spent} is used or held, this call asks for"
        f" {more}",
        hint="raise the budget, or wait for its next window" if ends else "raise the budget",
        limit=budget.name,
        limit_size=limit,
        used=spent,
        asked=more,
        currency=currency if is_money else None,
        unit=None if is_money else "units",
        reset_at=ends.isoformat().replace("+00:00", "Z") if ends else None,
        reset_s=max(1, ceil((ends - at).total_seconds())) if ends else None,
    )


def reason_of(refusal: AppError) -> str:
    """Return under which name metrics count a refusal."""
    return str(refusal.facts.get("limit") or refusal.code)
