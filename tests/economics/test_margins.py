"""The margins of a month from what was recorded, on both databases."""

from collections.abc import Sequence
from datetime import datetime, timedelta
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import delete

from app.billing.preview import InvoicePreview
from app.clock import FrozenClock
from app.database import Database
from app.economics.margin_report import CurrencyTotal, UnattributedDevice
from app.economics.margin_table import margin_facts
from app.economics.margins import Margins, MonthNotBegun
from app.errors import Invalid
from app.ids import new_id
from app.metering.store import extend_device_interval, insert_batches
from app.metering.tables import BatchRow, DeviceIntervalRow
from app.metering.usage_event import BatchRecord, DeviceInterval
from app.period import Month, Period
from tests.billing.books import PAYG, Books, flat_plan, utc
from tests.database_examples import ON_DATABASE

HARDWARE = """
[[device]]
name = "cpu"
currency = "USD"
hourly_rate = "3.6"             # a nano a microsecond
utilization = "50%"
[[device]]
name = "cuda:0"
currency = "EUR"
hourly_rate = "7.2"
utilization = "35%"
"""
# Bought devices: what an hour of them costs is no whole number of nanos, not even a decimal one.
BOUGHT = """
[[device]]
name = "cpu"
currency = "USD"
purchase_price = "2999.99"
life_months = 35
utilization = "50%"
[[device]]
name = "cuda:0"
currency = "EUR"
purchase_price = "31000"
life_months = 37
power_watts = 701
electricity_price_per_kwh = "0.3133"
utilization = "35%"
"""
HOURS_A_MONTH = Fraction(8766, 12)
NANOS_PER_US = {
    "cpu": Fraction(2_999_990_000_000) / (35 * HOURS_A_MONTH) / 3_600_000_000,
    "cuda:0": (31_000 * 10**9 / (37 * HOURS_A_MONTH) + Fraction(701 * 313_300_000, 1000)) / 3_600_000_000,
}
MARCH = Month(2026, 3)
START = utc("2026-03-01T00:00")
NOW = utc("2026-03-11T00:00")  # ten days later
MINUTE = timedelta(minutes=1)


@pytest.fixture
def books(database: Database) -> Books:
    """Books on which `payg` is for sale, on the eleventh of March."""
    clock = FrozenClock(utc("2026-01-01T00:00"))
    books = Books(database, clock)
    books.plans.publish(PAYG)
    books.plans.publish(flat_plan("flat", base_fee="31"))
    clock.move_to(START)
    return books


@pytest.fixture
def hardware_file(tmp_path: Path) -> Path:
    file = tmp_path / "hardware.toml"
    file.write_text(HARDWARE)
    return file


@pytest.fixture
def margins(books: Books, hardware_file: Path) -> Margins:
    return Margins(books.database, books.clock, hardware_file, InvoicePreview(books.database, books.clock))


def run_batch(database: Database, started_at: datetime, compute_us: int, *, model: str, device: str = "cpu") -> None:
    batch = BatchRecord(
        id=new_id("bat", started_at),
        model=model,
        version=1,
        device=device,
        engine="inline",
        started_at=started_at,
        ended_at=started_at + timedelta(microseconds=compute_us),
        compute_us=compute_us,
        calls=1,
        items=1,
        bucket=1,
        items_failed=0,
        items_cancelled=0,
    )
    with database.transaction() as session:
        insert_batches(session, [batch])


def hold(database: Database, start: datetime, end: datetime, *, device: str = "cpu") -> None:
    with database.transaction() as session:
        extend_device_interval(session, DeviceInterval(new_id("dev"), device, start, end))


def test_a_look_within_a_minute_rates_nobody_again(books: Books, margins: Margins) -> None:
    account = books.open_account("payg")
    books.clock.move_to(NOW)
    looks = []
    for seconds in (0, 59, 60):
        books.use(account, START + MINUTE, 100_000)
        books.clock.move_to(NOW + timedelta(seconds=seconds))
        looks.append(sum(model.calls for model in margins.recent_report().models))
    assert looks == [1, 1, 3]
    assert margins.recent_report(Month(2026, 2)).models == ()
    assert margins.recent_report(MARCH) is margins.recent_report()


def test_usage_is_earned_whether_it_is_owed_or_was_paid_from_credit(books: Books, margins: Margins) -> None:
    books.plans.publish(flat_plan("credit", base_fee="0", unit_price="0.000000003", billing="prepaid"))
    for plan, units in (("payg", 100_000), ("credit", 7)):
        books.use(books.open_account(plan), START + MINUTE, units)
    books.clock.move_to(NOW)
    (linear,) = margins.report().models
    assert (linear.calls, linear.earned_nanos) == (2, 10**9 + 21)


def test_a_month_up_to_now_is_told_model_by_model(books: Books, margins: Margins) -> None:
    account = books.open_account("payg")
    books.use(account, START + MINUTE, 100_000)
    books.use(account, START + MINUTE, 200_000)
    hold(books.database, START - MINUTE, START + timedelta(seconds=1))
    for model, compute_us in (("linear", 100_000), ("vgg16", 300_000)):
        run_batch(books.database, START, compute_us, model=model)
        run_batch(books.database, START - timedelta(microseconds=1), 10**6, model=model)  # in February
    books.clock.move_to(NOW)

    report = margins.report()

    assert (report.month, report.period) == (MARCH, Period(START, NOW))
    linear, vgg16 = report.models
    assert (linear.model, linear.currency, linear.calls, linear.earned_nanos) == ("linear", "USD", 2, 3 * 10**9)
    assert (linear.cost_nanos, linear.idle_nanos) == (100_000, 150_000)
    assert linear.margin == 1 - Fraction(250_000, 3 * 10**9)
    assert linear.break_even_calls_a_day == 1
    assert (vgg16.earned_nanos, vgg16.cost_nanos, vgg16.idle_nanos, vgg16.margin) == (0, 300_000, 450_000, None)
    assert report.unattributed == ()
    assert report.totals == (
        CurrencyTotal(
            currency="USD",
            earned_nanos=3 * 10**9,
            base_fee_nanos=0,
            cost_nanos=400_000,
            idle_nanos=600_000,
            wall_nanos=1_000_000,
        ),
    )


def test_what_a_month_earned_is_what_its_invoices_charge_before_they_are_rounded(
    books: Books, margins: Margins
) -> None:
    for plan, zone, anchor_day in (("payg", "Asia/Kathmandu", 1), ("flat", "UTC", 1), ("flat", "UTC", 20)):
        account = books.open_account(plan, zone=zone, anchor_day=anchor_day)
        books.use(account, utc("2026-03-25T12:00"), 1_234_567)
        books.use(account, utc("2026-03-25T12:00"), 4_321, model="vgg16")
    books.clock.move_to(utc("2026-05-01T00:00"))
    invoices = [outcome.invoice for outcome in books.invoice_run.run(MARCH).outcomes if outcome.invoice]
    lines = [line for invoice in invoices for line in invoice.lines]
    report = margins.report(MARCH)
    earned = {line.model: line.earned_nanos for line in report.models}
    assert earned == {
        model: sum(line.exact_nanos for line in lines if line.model == model) for model in ("linear", "vgg16")
    }
    (total,) = report.totals
    assert total.earned_nanos + total.base_fee_nanos == sum(line.exact_nanos for line in lines)
    assert total.base_fee_nanos == 2 * 31 * 10**9
    assert total.margin == 1
    assert report.period.end == utc("2026-04-01T00:00")


def test_an_account_that_cannot_be_charged_is_named_and_hides_no_other(books: Books, margins: Margins) -> None:
    broken, account = books.open_account("payg"), books.open_account("payg")
    for each in (broken, account):
        books.use(each, START + MINUTE, 100_000)
    books.use(broken, START + MINUTE, 1, model="sold-to-nobody")
    books.clock.move_to(NOW)
    report = margins.report()
    assert [(line.model, line.calls, line.earned_nanos) for line in report.models] == [("linear", 1, 10**9)]
    (uncounted,) = report.uncounted
    assert uncounted.account.id == broken.id
    facts = margin_facts(report)["uncounted"]
    assert facts == [{"account": broken.id, "reason": uncounted.reason}]


def test_devices_that_no_model_pays_for_stand_apart(books: Books, margins: Margins) -> None:
    books.use(books.open_account("payg"), START + MINUTE, 100_000)
    books.clock.move_to(NOW)
    hold(books.database, START, START + timedelta(microseconds=500), device="cuda:0")
    hold(books.database, START, START + timedelta(microseconds=70), device="tpu")
    run_batch(books.database, START, 50, model="linear", device="tpu")
    report = margins.report()
    assert report.unattributed == (
        UnattributedDevice(device="cuda:0", up_us=500, currency="EUR", idle_nanos=1_000),
        UnattributedDevice(device="tpu", up_us=70),
    )
    (linear,) = report.models
    assert (linear.earned_nanos, linear.margin) == (10**9, None)  # nobody knows what the model cost
    assert [(total.currency, total.idle_nanos, total.wall_nanos) for total in report.totals] == [
        ("EUR", 1_000, 1_000),
        ("USD", 0, 0),
    ]


SPANS = st.lists(st.tuples(st.sampled_from(["cpu", "cuda:0"]), st.integers(-20, 120), st.integers(0, 60)), max_size=6)
RUNS = st.lists(
    st.tuples(
        st.sampled_from(["cpu", "cuda:0"]),
        st.sampled_from(["linear", "vgg16", "digits"]),
        st.integers(0, 99),
        st.integers(0, 30 * 10**6),
    ),
    max_size=8,
)


def covered_us(spans: Sequence[tuple[str, int, int]], device: str) -> int:
    """The time that the spans (device, start, length, in seconds) cover in March, second by second."""
    own = [range(start, start + length) for each, start, length in spans if each == device]
    return len({second for seconds in own for second in seconds if second >= 0}) * 10**6


@ON_DATABASE
@given(SPANS, RUNS)
def test_cost_and_idle_are_the_wall_clock_cost_to_the_nano(
    books: Books,
    margins: Margins,
    hardware_file: Path,
    spans: list[tuple[str, int, int]],
    runs: list[tuple[str, str, int, int]],
) -> None:
    hardware_file.write_text(BOUGHT)
    with books.database.transaction() as session:
        session.execute(delete(BatchRow))
        session.execute(delete(DeviceIntervalRow))
    books.clock.move_to(NOW)
    second = timedelta(seconds=1)
    for device, start, length in spans:
        hold(books.database, START + start * second, START + (start + length) * second, device=device)
    for device, model, start, compute_us in runs:
        run_batch(books.database, START + start * second, compute_us, model=model, device=device)

    report = margins.report(MARCH)

    by_currency = {total.currency: total for total in report.totals}
    for device, currency in (("cpu", "USD"), ("cuda:0", "EUR")):
        wall_nanos = round(covered_us(spans, device) * NANOS_PER_US[device])
        models = [line for line in report.models if line.currency == currency]
        unattributed = [each for each in report.unattributed if each.currency == currency]
        borne = sum(line.cost_nanos + line.idle_nanos for line in models)
        assert borne + sum(each.idle_nanos or 0 for each in unattributed) == wall_nanos
        if currency in by_currency:
            total = by_currency[currency]
            assert total.cost_nanos + total.idle_nanos == total.wall_nanos == wall_nanos


def test_a_month_that_lies_ahead_has_no_margins(margins: Margins) -> None:
    with pytest.raises(MonthNotBegun, match="2026-04 has not begun"):
        margins.report(Month(2026, 4))
    with pytest.raises(MonthNotBegun, match="2026-03 has not begun"):
        margins.report()  # it begins this very instant


def test_a_month_before_everything_is_empty(books: Books, margins: Margins) -> None:
    report = margins.report(Month(2020, 2))
    assert (report.models, report.unattributed, report.totals) == ((), (), ())


def test_without_a_hardware_file_the_error_says_where_it_belongs(
    books: Books, margins: Margins, hardware_file: Path
) -> None:
    hardware_file.unlink()
    books.clock.move_to(NOW)
    with pytest.raises(Invalid, match="FAREMETER_HARDWARE_FILE"):
        margins.report()
