"""Which budgets there may be, and why one is refused."""

from datetime import datetime

from app.accounts.bounded_key import BudgetLoosened
from app.accounts.budget import Budget, Measure
from app.database import Session
from app.errors import Conflict, NotFound
from app.money import format_money
from app.pricing.bounds import unbounded_price_of
from app.pricing.store import versions_ahead


class BudgetNotFound(NotFound):
    """There is no such budget."""

    code = "budget_not_found"


class BudgetUnbounded(Conflict):
    """A plan of the account has a price that no budget of money can hold a call to before it runs."""

    code = "budget_unbounded"


def require_tighter(present: Budget | None, wanted: Budget, currency: str) -> None:
    """Raise BudgetLoosened where a budget would allow or hide more than the present one."""
    if present is None:
        return
    if wanted.limit_value > present.limit_value:
        raise _loosened(present, "limit", f"above the {shown_limit(present, currency)} that are set")
    if present.hard and not wanted.hard:
        raise _loosened(present, "hard", "soft, and it is hard")
    if missing := sorted(set(present.thresholds) - set(wanted.thresholds)):
        percents = ", ".join(map(str, missing))
        raise _loosened(present, "thresholds", f"without the thresholds {percents} that are set")


def _loosened(present: Budget, where: str, what: str) -> BudgetLoosened:
    return BudgetLoosened(
        f"a key may draw its own bounds tighter only: {present.name} would be {what}",
        where=where,
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


def shown_limit(budget: Budget, currency: str) -> str:
    """Return the limit as people write it: `10.00 USD` or `1000 units`."""
    if budget.measure is Measure.MONEY:
        return f"{format_money(budget.limit_value, currency)} {currency}"
    return f"{budget.limit_value} units"
