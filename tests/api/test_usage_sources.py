"""One truth: wherever usage is read, in any zone and for any named range, it is the same, to the last unit.

What is expected is told by the local date of each event, with no period and no instant of the program.
"""

from datetime import UTC, date, datetime, timedelta
from random import Random
from zoneinfo import ZoneInfo

import pytest

from app.metering.usage_event import Outcome, UsageEvent, compute_ms
from app.metering.usage_range import Preset, preset_range
from tests.api.installation import Installation, Tenant
from tests.api.usage_sources import SOURCES, Question, Source, Sums
from tests.builders import make_event, record_usage

ZONES = ("UTC", "Asia/Shanghai", "Asia/Kathmandu", "America/Los_Angeles")
# The first and the last day of each range on the 15th of March 2026, which it is in all zones while the clock stands
# still. In Los Angeles the clocks were put forward on the 8th, and back in November: this month has 743 hours.
DAYS = {
    Preset.TODAY: ("2026-03-15", "2026-03-15"),
    Preset.YESTERDAY: ("2026-03-14", "2026-03-14"),
    Preset.LAST_7_DAYS: ("2026-03-09", "2026-03-15"),
    Preset.LAST_30_DAYS: ("2026-02-14", "2026-03-15"),
    Preset.THIS_MONTH: ("2026-03-01", "2026-03-31"),
    Preset.LAST_MONTH: ("2026-02-01", "2026-02-28"),
    Preset.LAST_12_MONTHS: ("2025-04-01", "2026-03-31"),
}


def instants() -> list[datetime]:
    """Instants around the first and last midnight of every range in every zone, around changed clocks, and others."""
    random = Random(11)
    found = [datetime(2025, 3, 25, tzinfo=UTC) + timedelta(seconds=random.randrange(380 * 86_400)) for _ in range(200)]
    edges = [datetime(2026, 3, 8, 10, tzinfo=UTC), datetime(2025, 11, 2, 9, tzinfo=UTC)]
    for first, last in DAYS.values():
        for zone in map(ZoneInfo, ZONES):
            edges.append(datetime.fromisoformat(first).replace(tzinfo=zone).astimezone(UTC))
            edges.append((datetime.fromisoformat(last) + timedelta(days=1)).replace(tzinfo=zone).astimezone(UTC))
    for edge in sorted(set(edges)):
        found += [edge - timedelta(microseconds=1), edge, edge + timedelta(minutes=14)]
    return found


def use(faremeter: Installation, tenant: Tenant, *, live: bool = True) -> list[UsageEvent]:
    """Record a call at each instant, every fourth of them a failure, with two keys."""
    plan = faremeter.services.plans.in_effect(tenant.account_id, faremeter.clock.now())
    assert plan is not None
    random, events = Random(12), []
    for number, instant in enumerate(instants()):
        failed = number % 4 == 3
        event = make_event(
            account_id=tenant.account_id,
            key_id=f"key_{number % 2}",
            live=live,
            plan_version_id=plan.id,
            occurred_at=instant,
            outcome=Outcome.FAILED if failed else Outcome.SUCCEEDED,
            units=0 if failed else random.randint(0, 10**6),
            results=0 if failed else random.randint(0, 9),
            compute_us=random.randint(0, 10**7),
        )
        events.append(event)
    record_usage(faremeter.services.database, *events)
    return events


@pytest.fixture(scope="module")
def used(faremeter: Installation) -> tuple[Tenant, list[UsageEvent]]:
    """A customer who has called for a year, and with test keys just as much, which no sum may hold."""
    tenant = faremeter.tenant()
    use(faremeter, tenant, live=False)
    return tenant, use(faremeter, tenant)


def expected(events: list[UsageEvent], preset: Preset, zone: ZoneInfo) -> Sums:
    first, last = map(date.fromisoformat, DAYS[preset])
    inside = [event for event in events if first <= event.occurred_at.astimezone(zone).date() <= last]
    good = [event for event in inside if event.outcome is Outcome.SUCCEEDED]
    return {
        "requests": len(good),
        "units": sum(event.units for event in good),
        "compute_ms": sum(compute_ms(event.compute_us) for event in good),
        "results": sum(event.results for event in good),
        "failed": len(inside) - len(good),
    }


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("source", SOURCES.values(), ids=SOURCES)
async def test_every_source_tells_the_same_sums_of_every_range(
    faremeter: Installation, used: tuple[Tenant, list[UsageEvent]], source: Source, zone: str
) -> None:
    tenant, events = used
    for preset in Preset:
        found = preset_range(preset, ZoneInfo(zone), faremeter.clock.now())
        sums = await source(Question(faremeter, tenant, zone, found))
        assert sums == expected(events, preset, ZoneInfo(zone)), preset
        assert sums["requests"] > 0


def test_a_month_with_a_clock_change_is_among_the_ranges(faremeter: Installation) -> None:
    march = preset_range(Preset.THIS_MONTH, ZoneInfo("America/Los_Angeles"), faremeter.clock.now()).period
    assert march.end - march.start == timedelta(hours=743)
