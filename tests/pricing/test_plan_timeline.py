"""Segments tile the part of a period that has a plan, and say at each instant what is in effect there."""

from datetime import UTC, datetime, timedelta
from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from app.period import Period
from app.pricing.plan import Billing, PlanAssignment, PlanVersion
from app.pricing.plan_timeline import segments_of

START = datetime(2026, 3, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)
PERIOD = Period(START, START + 20 * HOUR)


def version(plan_key: str, number: int, published_at: datetime) -> PlanVersion:
    return PlanVersion(f"{plan_key}-{number}", plan_key, number, "USD", Billing.POSTPAID, 0, (), published_at)


def in_effect_by_definition(
    assignments: list[PlanAssignment], versions: dict[str, list[PlanVersion]], instant: datetime
) -> str | None:
    """The last assignment that has started, and of its plan the last version that was published, by then."""
    started = [assignment for assignment in assignments if assignment.starts_at <= instant]
    published = [v for v in versions[started[-1].plan_key] if v.published_at <= instant] if started else []
    return published[-1].id if published else None


HOURS = st.integers(-5, 25)
TIMELINES = st.lists(st.tuples(HOURS, st.sampled_from("ab")), max_size=6)
PUBLICATIONS = st.lists(HOURS, max_size=4).map(sorted)


@given(TIMELINES, PUBLICATIONS, PUBLICATIONS)
def test_segments_agree_with_the_definition_at_every_instant(
    timeline: list[tuple[int, str]], hours_of_a: list[int], hours_of_b: list[int]
) -> None:
    assignments = [
        PlanAssignment("acct", plan_key, START + hour * HOUR)
        for hour, plan_key in sorted(timeline, key=lambda entry: entry[0])
    ]
    versions = {
        plan_key: [version(plan_key, number, START + hour * HOUR) for number, hour in enumerate(hours, 1)]
        for plan_key, hours in (("a", hours_of_a), ("b", hours_of_b))
    }

    segments = segments_of(assignments, versions, PERIOD)

    for half_hour in range(2 * -6, 2 * 27):
        instant = START + half_hour * HOUR / 2
        found = [segment.plan_version.id for segment in segments if instant in segment.period]
        expected = in_effect_by_definition(assignments, versions, instant) if instant in PERIOD else None
        assert found == ([expected] if expected else [])
    for before, after in pairwise(segments):
        assert before.period.end <= after.period.start
        touching = before.period.end == after.period.start
        assert not touching or before.plan_version != after.plan_version


def test_an_account_that_was_never_on_a_plan_has_no_segment() -> None:
    assert segments_of([], {}, PERIOD) == []


def test_the_plan_in_effect_before_the_period_reaches_into_it() -> None:
    first = version("a", 1, START - 10 * HOUR)
    (segment,) = segments_of([PlanAssignment("acct", "a", START - 9 * HOUR)], {"a": [first]}, PERIOD)
    assert (segment.period, segment.plan_version) == (PERIOD, first)
