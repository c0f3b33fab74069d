"""Statements of a group: the same parameters and rows on both databases, to the last microsecond and nano."""

from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import ClauseElement, bindparam, delete, select, text

from app.charging.tables import HoldRow, ProcessLeaseRow
from app.database import ConstraintViolated, Database, DatabaseUnavailable, dialect_insert
from app.group_sql import among, ask_together, group_sql, in_one_go, listed, packed, unpacked

START = datetime(2026, 3, 15, 12, 0, 0, 1, tzinfo=UTC)


@group_sql
def insert(dialect: str) -> ClauseElement:
    statement: ClauseElement = dialect_insert(dialect, HoldRow)
    return statement


@group_sql
def at_instants(dialect: str) -> ClauseElement:
    return (
        select(packed(dialect, HoldRow))
        .where(among(dialect, HoldRow.occurred_at, "instants"))
        .order_by(HoldRow.event_id)
    )


@group_sql
def at_instant(dialect: str) -> ClauseElement:
    return delete(HoldRow).where(HoldRow.occurred_at == bindparam("instant", type_=HoldRow.occurred_at.type))


def hold(number: int) -> dict[str, object]:
    quantities = {
        f"{prefix}{name}": number for prefix in ("", "position_") for name in ("requests", "units", "results")
    }
    return {
        "event_id": f"evt_{number}",
        "account_id": "acct_%s ' \"",
        "key_id": "key_\u20ac",
        "live": number % 2 == 0,
        "lease_id": "proc_1",
        "plan_version_id": "plv_1",
        "model": "linear",
        "occurred_at": START + timedelta(microseconds=number),
        "amount_nanos": 10**18 + number,
        "budget_ids": "",
        **quantities,
    }


@pytest.mark.parametrize("count", [1, 2, 100])
def test_a_group_comes_back_as_it_went_in(database: Database, count: int) -> None:
    rows = [hold(number) for number in range(count)]
    with database.transaction() as session:
        insert(session, rows)
    with database.reading() as session:
        instants = listed(session, [START + timedelta(microseconds=number) for number in range(count)])
        found = [unpacked(HoldRow, each) for each in at_instants(session, {"instants": instants}).scalars()]
    assert [vars(each) for each in found] == sorted(rows, key=lambda row: str(row["event_id"]))
    assert all(type(each.live) is bool and each.occurred_at.tzinfo is UTC for each in found)


def test_no_value_is_among_none(database: Database) -> None:
    with database.transaction() as session:
        insert(session, [hold(1)])
        assert at_instants(session, {"instants": listed(session, [])}).all() == []


def test_an_instant_is_a_parameter_of_its_own(database: Database) -> None:
    with database.transaction() as session:
        insert(session, [hold(1), hold(2)])
        assert at_instant(session, {"instant": START + timedelta(microseconds=1)}).rowcount == 1
        assert session.scalars(select(HoldRow.event_id)).all() == ["evt_2"]


def test_a_row_that_the_schema_refuses_says_so_and_takes_the_group_along(database: Database) -> None:
    with pytest.raises(ConstraintViolated), database.transaction() as session:
        insert(session, [hold(1), {**hold(2), "amount_nanos": -1}])
    with database.reading() as session:
        assert session.scalars(select(HoldRow.event_id)).all() == []


def test_what_is_missing_stays_so(database: Database) -> None:
    with database.transaction() as session:
        session.add(ProcessLeaseRow(id="proc_1", renewals=1, host="h", pid=2, started_at=START))
        session.flush()
        dialect = "postgresql" if database.dialect == "postgresql" else "sqlite"
        row = unpacked(ProcessLeaseRow, session.scalars(select(packed(dialect, ProcessLeaseRow))).one())
        none = unpacked(ProcessLeaseRow, str(session.scalar(text("SELECT '[null, 1, null, 2, null]'"))))
    assert (row.id, row.renewals, row.started_at) == ("proc_1", 1, START)
    assert (none.id, none.started_at) == (None, None)


def test_what_goes_in_one_go_is_there_in_its_order(database: Database) -> None:
    asked = [START + timedelta(microseconds=number) for number in (1, 2)]
    with database.transaction() as session:
        with in_one_go(session):
            insert(session, [hold(1), hold(2)])
            with in_one_go(session):
                at_instant(session, {"instant": asked[0]})
                insert(session, [hold(3)])
        questions = [(at_instants, {"instants": listed(session, [each])}) for each in asked]
        first, second = ask_together(session, *questions)
        assert session.scalars(select(HoldRow.event_id).order_by(HoldRow.event_id)).all() == ["evt_2", "evt_3"]
    assert not first
    assert [unpacked(HoldRow, text).event_id for (text,) in second] == ["evt_2"]


def test_a_refused_row_in_one_go_is_no_outage_whatever_stands_behind_it(database: Database) -> None:
    def insert_all() -> None:
        with database.transaction() as session, in_one_go(session):
            insert(session, [{**hold(2), "amount_nanos": -1}])
            for number in range(3, 50):
                insert(session, [hold(number)])

    with pytest.raises(ConstraintViolated):
        insert_all()
    with database.transaction() as session:  # by the same connection
        insert(session, [hold(1)])
        assert session.scalars(select(HoldRow.event_id)).all() == ["evt_1"]


def test_a_server_that_goes_in_the_middle_is_an_outage_and_the_next_transaction_is_whole(postgres_url: str) -> None:
    database = Database(postgres_url)

    def insert_and_lose() -> None:
        others = "FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
        with database.transaction() as session, in_one_go(session):
            insert(session, [hold(1)])
            with database.transaction() as other:
                assert other.scalar(text(f"SELECT count(pg_terminate_backend(pid)) {others}")) == 1
            insert(session, [hold(2)])

    with pytest.raises(DatabaseUnavailable):
        insert_and_lose()
    with database.transaction() as session:
        insert(session, [hold(3)])
        assert session.scalars(select(HoldRow.event_id)).all() == ["evt_3"]
    database.dispose()
