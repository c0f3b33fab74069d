"""Suggesting a price from what was recorded, on both databases."""

from datetime import timedelta
from fractions import Fraction
from pathlib import Path

import pytest

from app.clock import FrozenClock
from app.database import Database
from app.economics.hardware import DeviceNotDeclared
from app.economics.price_suggestion import NothingMeasured
from app.economics.service import Economics, MeasuredOnSeveralDevices
from app.errors import Invalid
from app.ids import new_id
from app.metering.store import add_to_rollup, insert_batches
from app.metering.usage_event import BatchRecord, Outcome, UsageEvent

HARDWARE = '[[device]]\nname = "cpu"\ncurrency = "USD"\nhourly_rate = "0.36"\nutilization = "50%"\n'


@pytest.fixture
def hardware_file(tmp_path: Path) -> Path:
    file = tmp_path / "hardware.toml"
    file.write_text(HARDWARE)
    return file


@pytest.fixture
def economics(database: Database, clock: FrozenClock, hardware_file: Path) -> Economics:
    return Economics(database, clock, hardware_file)


def record_calls(
    database: Database, clock: FrozenClock, *, days_ago: int, calls: int, device: str = "cpu", failed: bool = False
) -> None:
    """Record calls of two images and 100 ms each, run in one batch; no failed call has a share of its time."""
    instant = clock.now() - timedelta(days=days_ago)
    batch = BatchRecord(
        id=new_id("bat", instant),
        model="vgg16",
        version=1,
        device=device,
        engine="inline",
        started_at=instant,
        ended_at=instant + timedelta(milliseconds=100 * calls),
        compute_us=100_000 * calls,
        calls=calls,
        items=2 * calls,
        bucket=2 * calls,
        items_failed=2 * calls if failed else 0,
        items_cancelled=0,
    )
    event = UsageEvent(
        id=new_id("evt", instant),
        account_id="acct_1",
        key_id="key_1",
        live=True,
        model="vgg16",
        version=1,
        plan_version_id="plv_1",
        occurred_at=instant,
        outcome=Outcome.FAILED if failed else Outcome.SUCCEEDED,
        delivered=True,
        units=0 if failed else 2,
        results=0,
        compute_us=0 if failed else 100_000,
        queue_us=0,
        input_bytes=0,
        output_bytes=0,
        batch_id=batch.id,
        amount_nanos=None,
    )
    with database.transaction() as session:
        insert_batches(session, [batch])
        add_to_rollup(session, [event] * calls)


def test_measured_compute_and_declared_hardware_give_a_price(
    database: Database, clock: FrozenClock, economics: Economics
) -> None:
    record_calls(database, clock, days_ago=10, calls=70)
    record_calls(database, clock, days_ago=2, calls=30)
    suggestion = economics.suggest_price("vgg16", "60%")
    assert (suggestion.measured.requests, suggestion.measured.units) == (100, 200)
    assert suggestion.cost_per_call_nanos == 20_000  # 0.1 s x 0.0001 a second / 50%
    assert suggestion.price_per_call_nanos == 50_000
    assert suggestion.price_per_unit_nanos == 25_000
    assert suggestion.calls_a_day == 10


def test_the_time_of_a_batch_that_failed_is_paid_for_by_the_calls_that_succeeded(
    database: Database, clock: FrozenClock, economics: Economics
) -> None:
    record_calls(database, clock, days_ago=2, calls=50)
    record_calls(database, clock, days_ago=2, calls=50, failed=True)
    assert economics.suggest_price("vgg16", "60%").cost_per_call_nanos == 40_000  # twice 0.1 s a success


def test_the_measured_calls_of_less_than_a_day_count_as_those_of_a_day(
    database: Database, clock: FrozenClock, economics: Economics
) -> None:
    record_calls(database, clock, days_ago=0, calls=30)
    assert economics.suggest_price("vgg16", "0%").calls_a_day == 30


def test_calls_a_day_may_be_stated(database: Database, clock: FrozenClock, economics: Economics) -> None:
    record_calls(database, clock, days_ago=1, calls=30)
    assert economics.suggest_price("vgg16", "0%", calls_a_day=5000).calls_a_day == Fraction(5000)


def test_nothing_measured_in_the_days_asked_for_is_a_clear_error(
    database: Database, clock: FrozenClock, economics: Economics
) -> None:
    record_calls(database, clock, days_ago=10, calls=5)
    for model, days in (("linear", 30), ("vgg16", 9)):
        with pytest.raises(NothingMeasured, match=f"no call of {model} .*send some calls to {model}"):
            economics.suggest_price(model, "60%", days=days)


def test_times_of_different_devices_are_not_mixed(database: Database, clock: FrozenClock, economics: Economics) -> None:
    record_calls(database, clock, days_ago=10, calls=5, device="cuda:0")
    record_calls(database, clock, days_ago=2, calls=5)
    with pytest.raises(MeasuredOnSeveralDevices, match=r"vgg16 ran on cpu, cuda:0.*fewer days"):
        economics.suggest_price("vgg16", "60%")
    assert economics.suggest_price("vgg16", "60%", days=9).device.name == "cpu"


def test_a_device_without_a_declared_cost_is_a_clear_error(
    database: Database, clock: FrozenClock, economics: Economics
) -> None:
    record_calls(database, clock, days_ago=1, calls=5, device="cuda:0")
    with pytest.raises(DeviceNotDeclared, match="does not say what cuda:0 costs"):
        economics.suggest_price("vgg16", "60%")


def test_a_hardware_file_that_cannot_be_read_is_a_clear_error(economics: Economics, hardware_file: Path) -> None:
    hardware_file.write_bytes(b"\xff\xfe")
    with pytest.raises(Invalid, match="it is not UTF-8"):
        economics.suggest_price("vgg16", "60%")
    hardware_file.unlink()
    with pytest.raises(Invalid, match=r"FAREMETER_HARDWARE_FILE: .*No such file"):
        economics.suggest_price("vgg16", "60%")


@pytest.mark.parametrize("bad", [{"days": 0}, {"days": 401}, {"calls_a_day": 0}, {"calls_a_day": 10**13}])
def test_arguments_out_of_range_are_refused(economics: Economics, bad: dict[str, int]) -> None:
    with pytest.raises(Invalid, match="is out of range"):
        economics.suggest_price("vgg16", "60%", **bad)


def test_a_bad_margin_is_refused(database: Database, clock: FrozenClock, economics: Economics) -> None:
    record_calls(database, clock, days_ago=1, calls=5)
    for margin in ("0.6", "100%"):
        with pytest.raises(Invalid, match="margin"):
            economics.suggest_price("vgg16", margin)
