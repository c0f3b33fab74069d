"""Budgets and limits on pages: the forms that members and operators send, and who sees which budget."""

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from app.accounts.account import ApiKey
from app.accounts.budget import Budget, Measure, Window
from app.accounts.rate_limits import UNLIMITED, RateLimits
from app.audit_log.actor import Actor
from app.bootstrap import Services
from app.charging.budget_rules import BudgetNotFound
from app.charging.budget_state import BudgetState
from app.members.role import Permission
from app.portal.frame.forms import PageForm
from app.portal.frame.number_field import amount_of, number_of
from app.portal.frame.visitor import Visitor

_SEPARATORS = re.compile(r"[\s,;，、；]+")  # noqa: RUF001 - what a Chinese keyboard writes


@dataclass(frozen=True, slots=True)
class Bounds:
    """What holds a key back: its budgets as they stand, and its limits."""

    budgets: tuple[BudgetState, ...]
    limits: RateLimits

    @property
    def none(self) -> bool:
        return not self.budgets and self.limits.none


class BudgetForm(PageForm):
    """A budget of money or a quota of units, what happens once it is reached, and at which percents people are told."""

    measure: Measure = Measure.MONEY
    window: Window = Window.MONTH
    limit: str = ""
    reached: Literal["refuse", "tell"] = "refuse"
    thresholds: str = "80, 100"

    def limit_value(self) -> int:
        """Return the limit in nanos or units. Raises NoAmount, NoNumber."""
        read = amount_of if self.measure is Measure.MONEY else number_of
        return read(self.limit, where="limit")

    def percents(self) -> tuple[int, ...]:
        """Return the thresholds as they were listed. Raises NoNumber."""
        texts = filter(None, _SEPARATORS.split(self.thresholds.replace("%", " ")))
        return tuple(number_of(text, where="thresholds") for text in texts)


class LimitsForm(PageForm):
    """All rate limits of a key, an account or a model; an empty field is no such limit."""

    requests_per_minute: str = ""
    units_per_minute: str = ""
    concurrency_max: str = ""

    @classmethod
    def of(cls, limits: RateLimits) -> "LimitsForm":
        """Return the form that holds the limits."""
        texts = ["" if value is None else str(value) for value in limits.values]
        return cls(requests_per_minute=texts[0], units_per_minute=texts[1], concurrency_max=texts[2])

    def limits(self) -> RateLimits:
        """Return the limits. Raises NoNumber, RateLimitInvalid."""
        names = ("requests_per_minute", "units_per_minute", "concurrency_max")
        texts = {name: getattr(self, name) for name in names}
        return RateLimits(**{name: number_of(text, where=name) for name, text in texts.items() if text})


def set_budget(services: Services, account_id: str, key_id: str | None, form: BudgetForm, *, by: Actor) -> None:
    """Set what the form says. Raises what the form and `Budgets.set` raise."""
    services.budgets.set(
        account_id,
        key_id=key_id,
        measure=form.measure,
        window=form.window,
        limit_value=form.limit_value(),
        hard=form.reached == "refuse",
        thresholds=form.percents(),
        by=by,
    )


def remove_budget(services: Services, account_id: str, key_id: str | None, budget_id: str, *, by: Actor) -> Budget:
    """Remove a budget of the account, or of the key under which a key's budgets are kept. Raises BudgetNotFound."""
    for state in services.budgets.list(account_id):
        if (state.budget.id, state.budget.key_id) == (budget_id, key_id):
            return services.budgets.remove(budget_id, by=by)
    raise BudgetNotFound("there is no such budget", where="budget", hint="load the page again")


def sees_budget(visitor: Visitor, key_id: str | None, measure: Measure) -> bool:
    """Tell whether a member sees a budget: the account's money is for those who may read its invoices."""
    return key_id is not None or measure is Measure.UNITS or visitor.may(Permission.BILLING_READ)


def visible_budgets(services: Services, visitor: Visitor, account_id: str) -> list[BudgetState]:
    """Return the budgets that a member sees, as they stand now: the account's first."""
    states = services.budgets.list(account_id)
    seen = [state for state in states if sees_budget(visitor, state.budget.key_id, state.budget.measure)]
    return sorted(seen, key=lambda state: (state.budget.key_id or "", state.budget.id))


def bounds_of_keys(services: Services, account_id: str, keys: Collection[ApiKey]) -> dict[str, Bounds]:
    """Return the bounds of each key, by its id; keys that follow one another share theirs."""
    states = services.budgets.list(account_id)
    limits = services.limits.of_keys(keys)
    return {
        key.id: Bounds(
            tuple(state for state in states if state.budget.key_id == key.budget_key_id),
            limits.get(key.id, UNLIMITED),
        )
        for key in keys
    }
