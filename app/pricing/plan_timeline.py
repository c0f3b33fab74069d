"""Which plan version was in effect when: the assignments of an account laid over the versions of their plans."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime

from app.period import Period
from app.pricing.plan import PlanAssignment, PlanSegment, PlanVersion


def segments_of(
    assignments: Sequence[PlanAssignment], versions: Mapping[str, Sequence[PlanVersion]], period: Period
) -> list[PlanSegment]:
    """Return the stretches of a period by plan version, in order, without overlap; neighbours always differ.

    `assignments` are in the order of `starts_at`, the one that counts last among equals; `versions` holds those of each
    plan in the order of publication. Time before the first assignment, or before the first version, has no segment.
    """
    segments: list[PlanSegment] = []
    for start, end, version in _stretches(assignments, versions, period.end):
        inside = Period(start, end).intersection(period) if start < end else None
        if inside is None:
            continue
        if segments and segments[-1].plan_version.id == version.id and segments[-1].period.end == inside.start:
            inside = Period(segments.pop().period.start, inside.end)
        segments.append(PlanSegment(inside, version))
    return segments


def _stretches(
    assignments: Sequence[PlanAssignment], versions: Mapping[str, Sequence[PlanVersion]], end: datetime
) -> Iterator[tuple[datetime, datetime, PlanVersion]]:
    """Yield (start, end, version) for each version of each assignment; those that are empty end where they start."""
    assignment_ends = _ends([assignment.starts_at for assignment in assignments], end)
    for assignment, assignment_end in zip(assignments, assignment_ends, strict=True):
        of_plan = versions.get(assignment.plan_key, ())
        version_ends = _ends([version.published_at for version in of_plan], end)
        for version, version_end in zip(of_plan, version_ends, strict=True):
            yield max(assignment.starts_at, version.published_at), min(assignment_end, version_end), version


def _ends(starts: list[datetime], end: datetime) -> list[datetime]:
    """Return where each one ends: where the next one starts, the last at `end`."""
    return [*starts[1:], end][: len(starts)]
