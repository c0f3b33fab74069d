"""Plans: the prices of models by meter, frozen in numbered versions."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from app.errors import InvariantViolation
from app.metering.meter import Meter
from app.period import Period
from app.pricing.condition import Condition

EVERY_MODEL = "*"


class Billing(StrEnum):
    """When a customer pays: `postpaid` by invoice, after the period; `prepaid` from credit, call by call."""

    POSTPAID = "postpaid"
    PREPAID = "prepaid"


@dataclass(frozen=True, slots=True)
class PerUnit:
    """Every unit costs the same."""

    unit_price_nanos: int


@dataclass(frozen=True, slots=True)
class Tier:
    """The price of the units behind the previous tier, up to and including number `up_to`; None is without end."""

    up_to: int | None
    unit_price_nanos: int


@dataclass(frozen=True, slots=True)
class Graduated:
    """Each unit costs what the tier that it falls into says; tiers start anew with every period and plan version."""

    tiers: tuple[Tier, ...]

    def __post_init__(self) -> None:
        bounds = [tier.up_to for tier in self.tiers]
        closed = [bound for bound in bounds[:-1] if bound is not None]
        ascending = all(low < high for low, high in zip([0, *closed], closed, strict=False))
        if not bounds or bounds[-1] is not None or len(closed) != len(bounds) - 1 or not ascending:
            raise InvariantViolation(f"tiers must ascend from 1 and end in one open tier, not {bounds}")


Scheme = PerUnit | Graduated


@dataclass(frozen=True, slots=True)
class Price:
    """What one meter of a model costs; the model `*` stands for each model without prices of its own.

    A price of `results`, and no other, has a condition: it says which outputs count.
    """

    model: str
    meter: Meter
    scheme: Scheme
    when: Condition | None = None

    def __post_init__(self) -> None:
        if (self.meter is Meter.RESULTS) != (self.when is not None):
            raise InvariantViolation(f"a price of results, and no other, has a condition: {self.meter} of {self.model}")


@dataclass(frozen=True, slots=True)
class PlanDraft:
    """The content of a plan file: what a published version freezes."""

    key: str
    currency: str
    billing: Billing
    base_fee_nanos: int
    prices: tuple[Price, ...]


@dataclass(frozen=True, slots=True)
class PlanVersion:
    """One published, frozen version of a plan; it is in effect from `published_at` until the next one is."""

    id: str
    plan_key: str
    version: int
    currency: str
    billing: Billing
    base_fee_nanos: int
    prices: tuple[Price, ...]
    published_at: datetime

    @property
    def content(self) -> PlanDraft:
        """What the version froze."""
        return PlanDraft(self.plan_key, self.currency, self.billing, self.base_fee_nanos, self.prices)

    def prices_for(self, model: str) -> tuple[Price, ...]:
        """Return the model's own prices, else those of `*`, else none: then the plan does not sell the model.

        A model that is priced under `*` is counted and rated on its own, never pooled with others.
        """
        own = tuple(price for price in self.prices if price.model == model)
        return own or tuple(price for price in self.prices if price.model == EVERY_MODEL)


@dataclass(frozen=True, slots=True)
class PlanAssignment:
    """An account is on a plan from `starts_at` until its next assignment starts."""

    account_id: str
    plan_key: str
    starts_at: datetime


@dataclass(frozen=True, slots=True)
class PlanSegment:
    """A stretch of time during which one plan version was in effect for an account."""

    period: Period
    plan_version: PlanVersion
