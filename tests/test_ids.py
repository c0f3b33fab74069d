"""Ids sort by the time they were made, and a bound stands exactly between two milliseconds."""

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.ids import id_bound, microseconds, new_id

INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(9999, 12, 31, 23), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@given(INSTANTS)
def test_an_id_carries_the_millisecond_of_its_instant(instant: datetime) -> None:
    prefix, value = new_id("evt", instant).split("_")
    assert (prefix, len(value)) == ("evt", 32)
    assert int(value[:12], 16) == microseconds(instant) // 1000
    assert value[12] == "7"


@given(INSTANTS, INSTANTS)
def test_ids_sort_as_their_milliseconds_do(one: datetime, other: datetime) -> None:
    early, late = sorted((one, other))
    if microseconds(early) // 1000 < microseconds(late) // 1000:
        assert new_id("evt", early) < new_id("evt", late)


@given(INSTANTS)
def test_a_bound_parts_what_was_made_before_from_what_was_made_since(instant: datetime) -> None:
    bound = id_bound("evt", instant)
    millisecond = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(milliseconds=microseconds(instant) // 1000)
    assert bound < new_id("evt", millisecond)
    if millisecond > datetime(1970, 1, 1, tzinfo=UTC):
        assert new_id("evt", millisecond - timedelta(microseconds=1)) < bound


def test_ids_made_one_after_the_other_differ_and_ascend() -> None:
    made = [new_id("evt") for _ in range(5_000)]
    assert made == sorted(set(made))


@given(INSTANTS)
def test_microseconds_are_exact(instant: datetime) -> None:
    assert datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=microseconds(instant)) == instant
