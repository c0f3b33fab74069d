"""Which budgets there may be, and why one is refused."""

from datetime import datetime

from app.accounts.budget import Budget, Measure
from app.database import Session
from app.errors import Conflict, Forbidden, NotFound
from app.money import format_nanos
from app.pricing.bounds import unbounded_price_of
from app.pricing.store import versions_ahead


class BudgetNotFound(NotFound):
    """There is no such budget."""

    code = "budget_not_found"


class BudgetUnbounded(Conflict):
    """A plan of the account has a price that no budget of money can hold a call to before it runs."""

    code = "budget_unbounded"


class BudgetLoosened(Forbidden):
    """A key may draw its own bounds tighter, and no other way."""

    code = "budget_loosened"


def require_tighter(present: Budget | None, wanted: Budget) -> None:
    """Raise BudgetLoosened where a budget would allow or hide more than the present one."""
    if present is None:
        return
    looser = wanted.limit_value > present.limit_value or (present.hard and not wanted.hard)
    if looser or not set(present.thresholds) <= set(wanted.thresholds):
        raise BudgetLoosened(
            f"{present.name} is {shown_limit(present)}: a key may not allow itself more",
            hint="use another key with the scope keys:write, or ask an owner of the account",
        )


def require_bounded(session: Session, account_id: str, now: datetime) -> None:
    """Raise BudgetUnbounded where a plan of now or to come has a price that is known only after a call has run.

    The caller holds the account's lock, for which whoever publishes or assigns such a plan has to wait.
    """
    for version in versions_ahead(session, account_id, now):
        if price := unbounded_price_of(version):
            raise BudgetUnbounded(
                f"plan {version.plan_key} prices {price.meter} of {price.model}: what a call comes to is known only"
                " after it has run, so no budget of money could be kept",
                where="measure",
                hint="set a quota in units, or ask the operator for a plan that prices units, requests or results",
            )


def found(budget: Budget | None) -> Budget:
    """Return the budget that was looked up. Raises BudgetNotFound."""
    if budget is None:
        raise BudgetNotFound("there is no such budget", where="budget", hint="GET /v1/budgets lists them")
    return budget


def shown_limit(budget: Budget) -> str:
    """Return the limit as people write it: a decimal amount of money, or a number of units."""
    return format_nanos(budget.limit_value) if budget.measure is Measure.MONEY else str(budget.limit_value)
