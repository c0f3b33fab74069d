"""A backup restores whole into an empty database of either kind, or not at all."""

from pathlib import Path

import pytest
from sqlalchemy import inspect, text

from app import schema
from app.backup import store
from app.backup.manifest import ArchiveInvalid, ArchiveTooNew
from app.backup.service import Backups, DatabaseNotEmpty
from app.charging.tables import ProcessLeaseRow
from app.clock import FrozenClock
from app.database import ConstraintViolated, Database
from tests.backup.conftest import Contents
from tests.backup.full_database import contents, fill
from tests.builders import NOON

CLOCK = FrozenClock(NOON)


def test_every_row_crosses_from_each_kind_of_database_into_each(
    database: Database, backups: Backups, empty: Database, tmp_path: Path
) -> None:
    fill(database)
    before = contents(database)
    assert [name for name, rows in before.items() if not rows] == []  # a new table: let `fill` put a row into it
    taken = backups.take(tmp_path / "books.zip")
    assert Backups(empty, CLOCK).restore(tmp_path / "books.zip") == taken
    after = contents(empty)
    (restored,) = set(after["audit_log"]) - set(before["audit_log"])
    after["audit_log"].remove(restored)
    assert after == before
    assert {table.name: table.rows for table in taken.tables} == {name: len(rows) for name, rows in before.items()}
    schema.require_head(empty)


def test_what_crosses_holds_the_largest_values_and_every_byte(archived: Contents) -> None:
    everything = [value for rows in archived.values() for row in rows for value in row]
    assert {2**63 - 1, -(2**63)} <= {value for value in everything if isinstance(value, int)}
    assert bytes(range(256)) in everything


def test_facts_are_protected_and_no_lease_came_along(books: Database, archive: Path, empty: Database) -> None:
    with books.reading() as session:
        assert session.get(ProcessLeaseRow, "lease_1")
    Backups(empty, CLOCK).restore(archive)
    for change in ("UPDATE usage_events SET units = 0", "DELETE FROM invoices", "UPDATE plan_versions SET version = 9"):
        with pytest.raises(ConstraintViolated), empty.transaction() as session:
            session.execute(text(change))
    with empty.reading() as session:
        assert session.get(ProcessLeaseRow, "lease_1") is None


def test_events_land_in_the_partitions_of_their_months(archive: Path, empty_postgres_url: str) -> None:
    target = Database(empty_postgres_url)
    Backups(target, CLOCK).restore(archive)
    counts = "SELECT tableoid::regclass::text, count(*) FROM usage_events GROUP BY 1 ORDER BY 1"
    with target.reading() as session:
        assert {tuple(row) for row in session.execute(text(counts))} == {
            ("usage_events_2026_01", 1),
            ("usage_events_2026_02", 1),
            ("usage_events_2026_04", 1),
        }
    target.dispose()


def test_no_table_counts_by_a_sequence_which_a_restore_would_have_to_set(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM pg_sequences")) == 0
    database.dispose()


def test_only_an_empty_database_is_filled(books: Database, archive: Path, archived: Contents) -> None:
    with pytest.raises(DatabaseNotEmpty, match="has rows"):
        Backups(books, CLOCK).restore(archive)
    assert contents(books) == archived


def test_a_migrated_database_without_a_row_is_empty_too(database: Database, archive: Path, archived: Contents) -> None:
    Backups(database, CLOCK).restore(archive)
    assert contents(database)["usage_events"] == archived["usage_events"]


def test_a_database_of_another_schema_is_refused(new_file: Database, archive: Path) -> None:
    schema.upgrade(new_file, "0003")
    with pytest.raises(DatabaseNotEmpty, match="schema 0003"):
        Backups(new_file, CLOCK).restore(archive)
    assert schema.current(new_file) == "0003"


def test_rows_that_the_schema_refuses_are_all_left_out(
    books: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Such as those of an archive whose tables do not stand in an order that foreign keys allow."""
    kept = store.kept_tables()
    monkeypatch.setattr(store, "kept_tables", lambda: kept[::-1])
    Backups(books, CLOCK).take(tmp_path / "books.zip")
    with pytest.raises(ArchiveInvalid, match="contradict each other"):
        Backups(database, CLOCK).restore(tmp_path / "books.zip")
    assert not any(contents(database).values())


def test_a_backup_of_an_older_schema_is_brought_up_to_date(
    books: Database, new_file: Database, archived: Contents, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The archive is restored at its own schema; the migrations behind it come then."""
    tables = _columns_at(tmp_path, "0006")
    kept = [
        (name, tuple(column for column in columns if column.name in tables[name]))
        for name, columns in store.kept_tables()
        if name in tables
    ]
    monkeypatch.setattr(store, "kept_tables", lambda: kept)
    monkeypatch.setattr(store, "revision", lambda _session: "0006")
    assert Backups(books, CLOCK).take(tmp_path / "books.zip").revision == "0006"
    Backups(new_file, CLOCK).restore(tmp_path / "books.zip")
    schema.require_head(new_file)
    assert contents(new_file)["usage_events"] == archived["usage_events"]


def test_a_backup_of_a_schema_to_come_is_refused(
    books: Database, new_file: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(store, "revision", lambda _session: "9999")
    Backups(books, CLOCK).take(tmp_path / "books.zip")
    with pytest.raises(ArchiveTooNew, match="does not know its schema 9999"):
        Backups(new_file, CLOCK).restore(tmp_path / "books.zip")
    assert schema.current(new_file) == ""


def test_tables_that_are_not_those_of_the_schema_are_refused(
    books: Database, database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = [each for each in store.kept_tables() if each[0] != "claims"]
    monkeypatch.setattr(store, "kept_tables", lambda: kept)
    Backups(books, CLOCK).take(tmp_path / "books.zip")
    with pytest.raises(ArchiveInvalid, match="not those of its schema"):
        Backups(database, CLOCK).restore(tmp_path / "books.zip")
    assert not any(contents(database).values())


def _columns_at(folder: Path, revision: str) -> dict[str, list[str]]:
    database = Database(f"sqlite:///{folder}/older.db")
    schema.upgrade(database, revision)
    with database.reading() as session:
        found = inspect(session.connection())
        columns = {name: [each["name"] for each in found.get_columns(name)] for name in found.get_table_names()}
    database.dispose()
    return columns
