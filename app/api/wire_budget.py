"""Budgets and their alerts on the wire: money as decimal strings, units as numbers."""

from typing import Annotated, Any

from pydantic import Field, StrictInt, StrictStr, ValidationError, ValidatorFunctionWrapHandler, WrapValidator
from pydantic_core import PydanticCustomError

from app.accounts.budget import DEFAULT_THRESHOLDS, Budget, BudgetInvalid, Measure, Window
from app.api.budget_fields import AlertFields, BudgetFields, BudgetStateFields
from app.api.fields import StrictBody
from app.api.wire import instant
from app.charging.budget_alert import BudgetAlert
from app.charging.budget_state import BudgetState
from app.money import format_money, parse_nanos


def _one_error(value: Any, read: ValidatorFunctionWrapHandler) -> Any:
    """Say what the limit is made of in one error at its own place, not in one for each kind."""
    try:
        return read(value)
    except ValidationError:
        raise PydanticCustomError("limit_kind", 'write "10.00" for money, 1000 without quotes for units') from None


class BudgetBody(StrictBody):
    """A bound: of money a decimal string, of units a number. A soft one (`"hard": false`) only tells."""

    limit: Annotated[StrictStr | StrictInt, WrapValidator(_one_error)]
    hard: bool = True
    thresholds: list[StrictInt] = Field(
        default=list(DEFAULT_THRESHOLDS), max_length=20, description="percents of the limit at which people are told"
    )

    def limit_value(self, measure: Measure) -> int:
        """Return the limit in nanos or units. Raises Invalid for no amount, BudgetInvalid for the wrong kind."""
        if measure is Measure.MONEY:
            if not isinstance(self.limit, str):
                raise BudgetInvalid("money is a decimal string", where="limit", hint='write "10.00"')
            return parse_nanos(self.limit, where="limit")
        if not isinstance(self.limit, int):
            raise BudgetInvalid("units are a whole number", where="limit", hint="write 1000, without quotes")
        return self.limit


def budget_body(budget: Budget, currency: str) -> BudgetFields:
    """Return what a budget is."""
    return {
        "id": budget.id,
        "key": budget.key_id,
        "measure": budget.measure,
        "window": budget.window,
        "limit": value_body(budget.measure, budget.limit_value, currency),
        "currency": currency if budget.measure is Measure.MONEY else None,
        "hard": budget.hard,
        "thresholds": list(budget.thresholds),
        "created_at": instant(budget.created_at),
    }


def state_body(state: BudgetState, currency: str) -> BudgetStateFields:
    """Return a budget and where it stands now."""
    measure = state.budget.measure
    return {
        **budget_body(state.budget, currency),
        "used": value_body(measure, state.used, currency),
        "held": value_body(measure, state.held, currency),
        "reset_at": instant(state.reset_at),
    }


def alert_body(alert: BudgetAlert, currency: str) -> AlertFields:
    """Return an alert: which budget, how far it was used, and when that was noticed."""
    return {
        "id": alert.id,
        "budget": alert.budget_id,
        "key": alert.key_id,
        "measure": alert.measure,
        "window": alert.window,
        "window_start": None if alert.window is Window.TOTAL else instant(alert.window_start),
        "percent": alert.percent,
        "limit": value_body(alert.measure, alert.limit_value, currency),
        "used": value_body(alert.measure, alert.used, currency),
        "currency": currency if alert.measure is Measure.MONEY else None,
        "created_at": instant(alert.created_at),
    }


def value_body(measure: Measure, value: int, currency: str) -> str | int:
    """Return nanos as a decimal string, and units as they are."""
    return format_money(value, currency) if measure is Measure.MONEY else value
