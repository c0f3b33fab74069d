"""What an invoice is made of: the usage of one account in one period, and the plan versions that price it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.metering.store import UsageTotal
from app.pricing.plan import PlanSegment, PlanVersion


@dataclass(frozen=True, slots=True)
class PeriodUsage:
    """`segments` say which plan version was in effect when; `versions` holds those that the `totals` are pinned to."""

    segments: Sequence[PlanSegment]
    totals: Sequence[UsageTotal]
    versions: Mapping[str, PlanVersion]
