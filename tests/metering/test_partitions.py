"""Partitions of usage_events on PostgreSQL: made ahead, used, made by several at once, and made late without a loss."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.database import Database
from app.metering.service import Metering
from app.period import Period
from tests.builders import NOON, make_event, record_usage

MARCH_ENDS = datetime(2026, 4, 1, tzinfo=UTC)
MICROSECOND = timedelta(microseconds=1)


@pytest.fixture
def postgresql(postgres_url: str) -> Iterator[Database]:
    database = Database(postgres_url)
    yield database
    database.dispose()


def partitions(database: Database) -> set[str]:
    with database.reading() as session:
        return set(
            session.scalars(
                text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_events'::regclass")
            )
        )


def homes(database: Database) -> list[str]:
    with database.reading() as session:
        return list(session.scalars(text("SELECT tableoid::regclass::text FROM usage_events ORDER BY id")))


def test_this_month_and_two_to_come_are_made_and_making_them_again_changes_nothing(postgresql: Database) -> None:
    metering = Metering(postgresql)
    for _ in range(2):
        metering.make_partitions(datetime(2026, 11, 30, 23, 59, tzinfo=UTC))
        assert partitions(postgresql) == {
            "usage_events_default",
            "usage_events_2026_11",
            "usage_events_2026_12",
            "usage_events_2027_01",
        }


def test_events_land_in_the_partition_of_their_month_to_the_millisecond(postgresql: Database) -> None:
    Metering(postgresql).make_partitions(NOON)
    record_usage(
        postgresql,
        make_event(occurred_at=datetime(2026, 3, 1, tzinfo=UTC)),
        make_event(occurred_at=MARCH_ENDS - MICROSECOND),
        make_event(occurred_at=MARCH_ENDS),
        make_event(occurred_at=datetime(2026, 9, 1, tzinfo=UTC)),
    )
    assert homes(postgresql) == [
        "usage_events_2026_03",
        "usage_events_2026_03",
        "usage_events_2026_04",
        "usage_events_default",  # no month has claimed it yet; it is kept all the same
    ]


def test_a_month_that_is_made_late_takes_its_events_out_of_the_default_partition(postgresql: Database) -> None:
    events = [make_event(occurred_at=NOON + timedelta(days=20 * number)) for number in range(6)]
    record_usage(postgresql, *events)
    assert set(homes(postgresql)) == {"usage_events_default"}

    Metering(postgresql).make_partitions(NOON)

    assert homes(postgresql) == [
        "usage_events_2026_03",
        "usage_events_2026_04",
        "usage_events_2026_04",
        "usage_events_2026_05",
        "usage_events_default",
        "usage_events_default",
    ]
    period = Period(NOON, NOON + timedelta(days=365))
    assert [each.event for each in Metering(postgresql).every_event("acct_1", period)] == events
    record_usage(postgresql, make_event())
    assert homes(postgresql).count("usage_events_2026_03") == 2


def test_two_months_after_another_are_made_late_in_any_order(postgresql: Database) -> None:
    record_usage(postgresql, make_event(occurred_at=MARCH_ENDS - MICROSECOND), make_event(occurred_at=MARCH_ENDS))
    Metering(postgresql).make_partitions(MARCH_ENDS)
    Metering(postgresql).make_partitions(NOON)
    assert homes(postgresql) == ["usage_events_2026_03", "usage_events_2026_04"]


def test_processes_that_start_at_once_make_each_partition_once(postgresql: Database) -> None:
    record_usage(postgresql, make_event())
    with ThreadPoolExecutor(6) as pool:
        list(pool.map(Metering(postgresql).make_partitions, [NOON] * 6))
    assert len(partitions(postgresql)) == 4
    assert homes(postgresql) == ["usage_events_2026_03"]


def test_sqlite_has_one_table_and_nothing_to_make(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    Metering(database).make_partitions(NOON)
    record_usage(database, make_event())
    database.dispose()
