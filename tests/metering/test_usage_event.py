"""Usage events: a failure is free, by the noun and by the schema; buckets and milliseconds are exact."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo, available_timezones

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import insert

from app.database import ConstraintViolated, Database
from app.errors import InvariantViolation
from app.metering.meter import Meter, Quantities
from app.metering.tables import UsageEventRow
from app.metering.usage_event import BUCKET, Outcome, bucket_start, compute_ms
from app.period import midnight
from tests.builders import NOON, make_event

FREE = {"units": 0, "results": 0, "amount_nanos": 0}
INSTANTS = st.datetimes(datetime(1970, 1, 1), datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - bounds


@pytest.mark.parametrize("quantity", [{"units": 1}, {"results": 1}, {"amount_nanos": 1}])
def test_a_failure_with_a_billable_quantity_cannot_be_made(quantity: dict[str, Any]) -> None:
    with pytest.raises(InvariantViolation):
        make_event(outcome=Outcome.FAILED, **quantity)
    with pytest.raises(InvariantViolation):
        replace(make_event(**quantity), outcome=Outcome.FAILED)


@pytest.mark.parametrize(
    "wrong",
    [
        {"outcome": "failed", "units": 1},
        {"outcome": "failed", "results": 1},
        {"outcome": "failed", "amount_nanos": 1},
        {"outcome": "free"},
        {"units": -1},
        {"results": -1},
        {"compute_us": -1},
        {"queue_us": -1},
        {"amount_nanos": -1},
        {"amount_nanos": 10**18 + 1},
    ],
    ids=str,
)
def test_the_schema_refuses_what_no_event_may_hold(database: Database, wrong: dict[str, Any]) -> None:
    def write(**fields: Any) -> None:
        event = make_event()
        row = {name: getattr(event, name) for name in event.__slots__} | {"outcome": "succeeded", "recorded_at": NOON}
        with database.transaction() as session:
            session.execute(insert(UsageEventRow).values(row | FREE | fields))

    with pytest.raises(ConstraintViolated):
        write(**wrong)
    write(**(wrong | FREE | {"outcome": "failed", "compute_us": 7, "queue_us": 7}))  # device time was used all the same


def test_a_failure_has_no_billable_quantity_and_a_success_counts_once() -> None:
    failed = make_event(outcome=Outcome.FAILED, compute_us=9_000)
    assert failed.quantities == Quantities()
    event = make_event(units=3, results=2, compute_us=1_001)
    assert event.quantities == Quantities(requests=1, units=3, compute_ms=2, results=2)
    assert [event.quantities.of(meter) for meter in Meter] == [1, 3, 2, 2]


@given(st.lists(st.builds(Quantities, *[st.integers(0, 10**20)] * 4)))
def test_quantities_add_up_meter_by_meter_without_bound(parts: list[Quantities]) -> None:
    total = sum(parts, Quantities())
    for meter in Meter:
        assert total.of(meter) == sum(part.of(meter) for part in parts)


@given(st.integers(0, 10**15))
def test_device_time_is_rounded_up_to_whole_milliseconds(compute_us: int) -> None:
    milliseconds = compute_ms(compute_us)
    assert milliseconds * 1000 >= compute_us > (milliseconds - 1) * 1000


@given(INSTANTS)
def test_a_bucket_is_a_quarter_of_an_hour_that_holds_its_instant(instant: datetime) -> None:
    start = bucket_start(instant)
    assert start <= instant < start + BUCKET
    assert (start.minute % 15, start.second, start.microsecond) == (0, 0, 0)
    assert bucket_start(start) == start
    assert bucket_start(start - timedelta(microseconds=1)) == start - BUCKET


def test_every_zones_midnight_is_the_start_of_a_bucket() -> None:
    days = [datetime(2026, month, day, tzinfo=UTC).date() for month in range(1, 13) for day in (1, 8, 28)]
    for name in sorted(available_timezones()):
        for day in days:
            start = midnight(day, ZoneInfo(name))
            assert bucket_start(start) == start, name
