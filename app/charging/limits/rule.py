"""The limits that apply to one call: pure."""

from dataclasses import dataclass
from functools import cached_property

from app.accounts.account import Principal
from app.accounts.rate_limits import RateLimits, model_subject

TEST_UNITS_PER_MINUTE_MAX = 120  # test keys run the real models and are never invoiced: no free production


@dataclass(frozen=True, slots=True)
class RateRule:
    """So many requests or units a minute. `counter` says which count it bounds, `cost` what the call adds to it."""

    name: str
    counter: str
    limit: int
    cost: int


@dataclass(frozen=True, slots=True)
class SlotRule:
    """So many calls at once. `counter` says whose."""

    name: str
    counter: str
    limit: int


@dataclass(frozen=True)
class Rules:
    """What a call must keep to: the narrowest first."""

    rates: tuple[RateRule, ...]
    slots: tuple[SlotRule, ...]

    @cached_property
    def all(self) -> tuple[RateRule | SlotRule, ...]:
        """Every rule, rates before slots."""
        return (*self.rates, *self.slots)

    @property
    def never_kept(self) -> RateRule | None:
        """The rule that the call alone is too large for, in whatever minute it comes."""
        return next((rate for rate in self.rates if rate.cost > rate.limit), None)

    def shared_among(self, processes: int) -> "Rules":
        """Return the part of one process: an equal share of each limit, at least 1."""
        if processes == 1:
            return self
        return Rules(
            tuple(RateRule(r.name, r.counter, max(1, r.limit // processes), r.cost) for r in self.rates),
            tuple(SlotRule(s.name, s.counter, max(1, s.limit // processes)) for s in self.slots),
        )


def rules_of(principal: Principal, model: str, of_model: RateLimits, units: int) -> Rules:
    """Return the rules of a call of that many units: those of its key, its account and its model.

    An account's limits count its live calls, and its test calls apart: who tries something out takes nothing from what
    earns money. A model's are of its machine, which does not tell the two apart.
    """
    rates: list[RateRule] = []
    slots: list[SlotRule] = []
    key_id = principal.budget_key_id  # a key and its successors count as one
    account = principal.account_id if principal.live else f"{principal.account_id}/test"
    if not principal.live:
        rates.append(RateRule("test_key_units_per_minute", f"{key_id}/test", TEST_UNITS_PER_MINUTE_MAX, units))
    for owner, subject, limits in (
        ("key", key_id, principal.limits),
        ("account", account, principal.account_limits),
        ("model", model_subject(model), of_model),
    ):
        if limits.none:
            continue
        if limits.requests_per_minute is not None:
            rates.append(RateRule(f"{owner}_requests_per_minute", f"{subject}/requests", limits.requests_per_minute, 1))
        if limits.units_per_minute is not None:
            rates.append(RateRule(f"{owner}_units_per_minute", f"{subject}/units", limits.units_per_minute, units))
        if limits.concurrency_max is not None:
            slots.append(SlotRule(f"{owner}_concurrency_max", f"{subject}/calls", limits.concurrency_max))
    return Rules(tuple(rates), tuple(slots))
