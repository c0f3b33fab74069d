"""Column types: instants exact to the microsecond and ids in byte order, on both databases alike."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import literal, select
from sqlalchemy.exc import StatementError

from app.database import Database, Instant
from app.errors import InvariantViolation
from app.metering.store import insert_batches
from app.metering.tables import BatchRow
from tests.builders import NOON, make_batch

FIRST, LAST = datetime(1900, 1, 1), datetime(9999, 12, 31)  # noqa: DTZ001 - the zone is the strategy's
INSTANTS = st.datetimes(FIRST, LAST, timezones=st.sampled_from([timezone(timedelta(hours=h)) for h in (-12, 0, 5, 14)]))


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(instant=INSTANTS)
def test_an_instant_of_any_zone_comes_back_in_utc_exact_to_the_microsecond(
    database: Database, instant: datetime
) -> None:
    with database.reading() as session:
        (found,) = session.execute(select(literal(instant, Instant))).one()
    assert found == instant
    assert found.tzinfo is UTC


def test_an_instant_without_a_zone_is_refused(database: Database) -> None:
    with database.reading() as session, pytest.raises(StatementError) as caught:
        session.execute(select(literal(NOON.replace(tzinfo=None), Instant)))
    assert isinstance(caught.value.orig, InvariantViolation)


def test_instants_are_compared_as_numbers_and_absence_is_kept(database: Database) -> None:
    microsecond = timedelta(microseconds=1)
    with database.reading() as session:
        earlier = literal(NOON, Instant) < literal(NOON + microsecond, Instant)
        (is_earlier, absent) = session.execute(select(earlier, literal(None, Instant))).one()
    assert is_earlier
    assert absent is None


def test_sortable_ids_are_ordered_byte_by_byte(database: Database) -> None:
    ids = ["bat_0a", "bat_09", "bat_0A", "bat-0b", "Bat_00", "bat_", "bat_0a0", "bat_Z"]
    with database.transaction() as session:
        insert_batches(session, [make_batch(id=each) for each in ids])
    with database.reading() as session:
        assert list(session.scalars(select(BatchRow.id).order_by(BatchRow.id))) == sorted(ids)
        assert set(session.scalars(select(BatchRow.id).where(BatchRow.id > "bat_0"))) == {i for i in ids if i > "bat_0"}
