"""Reading usage: the same total in every zone and bucket, and events page by page without a loss."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from pathlib import Path
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import event
from sqlalchemy.pool import QueuePool

from app.database import Database, DatabaseUnavailable
from app.ids import new_id
from app.metering import service
from app.metering.meter import Quantities
from app.metering.service import Metering
from app.metering.usage_event import Outcome, UsageEvent
from app.metering.usage_report import Bucket, GroupBy
from app.period import Month, Period, period_starting_in
from tests.builders import NOON, make_event, record_usage
from tests.database_examples import ON_DATABASE

ZONES = ["UTC", "Asia/Shanghai", "Asia/Kathmandu", "America/Los_Angeles", "Australia/Lord_Howe"]
MARCH = Month(2026, 3)  # clocks change in Los Angeles on the 8th
WIDE = Period(datetime(2026, 2, 20, tzinfo=UTC), datetime(2026, 4, 10, tzinfo=UTC))


def spread(count: int, seed: int = 7) -> list[UsageEvent]:
    """Events of a month and more around March, on and beside quarter hours, some failed, in order of their ids."""
    random = Random(seed)
    length_s = int((WIDE.end - WIDE.start).total_seconds())
    events = []
    for number in range(count):
        occurred_at = WIDE.start + timedelta(seconds=random.randrange(0, length_s, 300), microseconds=number)
        failed = number % 5 == 0
        events.append(
            make_event(
                occurred_at=occurred_at,
                outcome=Outcome.FAILED if failed else Outcome.SUCCEEDED,
                units=0 if failed else random.randint(1, 9),
                model=random.choice(["linear", "vgg16"]),
                version=random.randint(1, 2),
                key_id=random.choice(["key_1", "key_2"]),
                compute_us=random.randint(0, 5_000),
            )
        )
    return sorted(events, key=lambda event: event.id)


def total_of(events: Sequence[UsageEvent]) -> tuple[Quantities, int]:
    failed = sum(event.outcome is Outcome.FAILED for event in events)
    return sum((event.quantities for event in events), Quantities()), failed


@pytest.mark.parametrize("group_by", [None, *GroupBy])
def test_a_months_total_is_the_same_for_every_bucket_and_is_that_of_its_events(
    database: Database, group_by: GroupBy | None
) -> None:
    events = spread(400)
    record_usage(database, *events, make_event(account_id="acct_2", units=10**6))
    metering = Metering(database)
    for name in ZONES:
        zone = ZoneInfo(name)
        month = period_starting_in(MARCH, 1, zone)
        inside = [event for event in events if event.occurred_at in month]
        assert [each.event for each in metering.every_event("acct_1", month)] == inside
        for bucket in Bucket:
            rows = metering.report("acct_1", month, zone=zone, bucket=bucket, group_by=group_by)
            assert sum((row.quantities for row in rows), Quantities()) == total_of(inside)[0], (name, bucket)
            assert sum(row.failed for row in rows) == total_of(inside)[1]
            assert all(row.start in month for row in rows)


def test_a_period_has_one_total_whatever_the_zone_it_is_shown_in(database: Database) -> None:
    events = spread(300)
    record_usage(database, *events)
    for name in ZONES:
        for bucket in Bucket:
            rows = Metering(database).report("acct_1", WIDE, zone=ZoneInfo(name), bucket=bucket, group_by=None)
            assert (sum((r.quantities for r in rows), Quantities()), sum(r.failed for r in rows)) == total_of(events)


@pytest.mark.parametrize(
    ("group_by", "group_of"),
    [
        (GroupBy.MODEL, lambda event: event.model),
        (GroupBy.KEY, lambda event: event.key_id),
        (GroupBy.VERSION, lambda event: f"{event.model}/{event.version}"),
    ],
)
def test_each_group_has_the_sum_of_its_own_events(
    database: Database, group_by: GroupBy, group_of: Callable[[UsageEvent], str]
) -> None:
    events = spread(200)
    record_usage(database, *events)
    rows = Metering(database).report("acct_1", WIDE, zone=ZoneInfo("UTC"), bucket=Bucket.DAY, group_by=group_by)
    keys = {(row.start, row.group) for row in rows}
    assert keys == {
        (event.occurred_at.replace(hour=0, minute=0, second=0, microsecond=0), group_of(event)) for event in events
    }
    for row in rows:
        own = [
            e
            for e in events
            if group_of(e) == row.group and timedelta() <= e.occurred_at - row.start < timedelta(days=1)
        ]
        assert (row.quantities, row.failed) == total_of(own)


def test_a_report_takes_no_more_from_the_database_than_its_own_rows(sqlite_url: str) -> None:
    database, read = Database(sqlite_url), list[int]()
    record_usage(database, *spread(400))

    def note(cursor: Any, statement: str, parameters: tuple[object, ...]) -> None:
        if "usage_rollup" in statement:
            read.append(len(cursor.connection.execute(statement, parameters).fetchall()))

    event.listen(database.engine, "after_cursor_execute", lambda _connection, cursor, *asked: note(cursor, *asked[:2]))
    rows = Metering(database).report(
        "acct_1", WIDE, zone=ZoneInfo("Asia/Kathmandu"), bucket=Bucket.MONTH, group_by=GroupBy.KEY
    )
    database.dispose()
    assert read == [len(rows)] == [6]  # two keys in three months, of about 400 quarter hours


def test_a_report_is_read_within_its_transaction(database: Database, tmp_path: Path) -> None:
    record_usage(database, make_event())
    Metering(database).report("acct_1", WIDE, zone=ZoneInfo("UTC"), bucket=Bucket.DAY, group_by=None)
    assert isinstance(database.engine.pool, QueuePool)
    assert database.engine.pool.checkedout() == 0

    (tmp_path / "damaged.db").write_bytes(b"no database" * 100)
    damaged = Database(f"sqlite:///{tmp_path}/damaged.db")
    with pytest.raises(DatabaseUnavailable):
        Metering(damaged).report("acct_1", WIDE, zone=ZoneInfo("UTC"), bucket=Bucket.DAY, group_by=None)
    damaged.dispose()


def test_test_keys_are_reported_though_never_invoiced(database: Database) -> None:
    record_usage(database, make_event(units=2, live=False), make_event(units=3))
    (row,) = Metering(database).report("acct_1", WIDE, zone=ZoneInfo("UTC"), bucket=Bucket.MONTH, group_by=None)
    assert row.quantities.units == 5


def test_a_key_was_last_used_in_the_quarter_hour_of_its_last_call_of_any_kind(database: Database) -> None:
    record_usage(
        database,
        make_event(key_id="key_1"),
        make_event(key_id="key_1", occurred_at=NOON + timedelta(minutes=44), outcome=Outcome.FAILED),
        make_event(key_id="key_2", occurred_at=NOON + timedelta(minutes=1), live=False),
        make_event(key_id="key_3", account_id="acct_2"),
    )
    metering = Metering(database)
    keys = ["key_1", "key_2", "key_3", "key_4"]
    assert metering.last_used("acct_1", keys) == {"key_1": NOON + timedelta(minutes=30), "key_2": NOON}
    assert metering.last_used("acct_1", ["key_2"]) == {"key_2": NOON}
    assert metering.last_used("acct_1", []) == metering.last_used("acct_3", keys) == {}


def test_the_last_use_of_a_key_is_looked_up_and_what_was_used_before_is_not_read(sqlite_url: str) -> None:
    database, asked = Database(sqlite_url), list[tuple[str, tuple[object, ...]]]()

    def note(_connection: object, _cursor: object, statement: str, parameters: tuple[object, ...], *_: object) -> None:
        asked.append((statement, parameters))

    event.listen(database.engine, "before_cursor_execute", note)
    Metering(database).last_used("acct_1", ["key_1"])
    (statement, parameters), *_ = (each for each in asked if "usage_rollup" in each[0])
    with database.engine.connect() as connection:
        plan = [row[-1] for row in connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)]
    database.dispose()
    (step,) = [step for step in plan if "usage_rollup" in step]
    assert "COVERING INDEX ix_usage_rollup_key (account_id=? AND key_id=?)" in step


@ON_DATABASE
@given(data=st.data())
def test_events_come_page_by_page_complete_and_in_order(database: Database, data: st.DataObject) -> None:
    account_id = new_id("acct")
    offsets_us = data.draw(st.lists(st.integers(0, 3_000), min_size=1, max_size=40))
    events = [make_event(account_id=account_id, occurred_at=NOON + timedelta(microseconds=us)) for us in offsets_us]
    record_usage(database, *events)
    first, last = sorted(data.draw(st.tuples(st.integers(0, 3_000), st.integers(0, 3_000))))
    period = Period(NOON + timedelta(microseconds=first), NOON + timedelta(microseconds=last + 1))

    found: list[UsageEvent] = []
    while True:
        limit = data.draw(st.integers(1, 12))
        after = found[-1].id if found else ""
        page = [each.event for each in Metering(database).events(account_id, period, after=after, limit=limit)]
        assert len(page) <= limit
        found += page
        if len(page) < limit:
            break

    inside = [event for event in events if event.occurred_at in period]
    assert found == sorted(inside, key=lambda event: event.id)
    milliseconds = [int(event.occurred_at.timestamp() * 1000) for event in found]
    assert milliseconds == sorted(milliseconds)


def test_an_export_loses_nothing_at_the_seams_of_its_pages(database: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    events = spread(60)
    record_usage(database, *events)
    for page_rows in (1, 7, 20, 30, 59, 60, 61):
        monkeypatch.setattr(service, "EXPORT_PAGE_ROWS", page_rows)
        assert [each.event for each in Metering(database).every_event("acct_1", WIDE)] == events


def test_an_export_holds_no_transaction_while_its_reader_takes_its_time(
    database: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(service, "EXPORT_PAGE_ROWS", 2)
    early = [make_event(occurred_at=NOON + timedelta(seconds=second)) for second in range(3)]
    record_usage(database, *early)
    export = Metering(database).every_event("acct_1", WIDE)
    assert next(export).event == early[0]
    late = make_event(occurred_at=NOON + timedelta(minutes=1))
    record_usage(database, late)  # would wait for ever, on SQLite's writer or on a lock, if one were held
    assert [each.event for each in export] == [*early[1:], late]


@pytest.mark.parametrize("after", ["evt_", "zzz", "", "evt_ffffffffffff", "' OR 1=1 --"])
def test_a_cursor_that_nobody_gave_out_is_no_error(database: Database, after: str) -> None:
    record_usage(database, make_event())
    assert len(Metering(database).events("acct_1", WIDE, after=after, limit=10)) in {0, 1}
