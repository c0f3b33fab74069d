"""A backup is one state of the database, in a file that is whole or is not there."""

import stat
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest

from app import schema
from app.backup import store
from app.backup.manifest import BackupFileUnusable
from app.backup.service import Backups
from app.clock import FrozenClock
from app.database import Database
from app.metering.tables import UsageEventRow
from tests.backup.full_database import contents
from tests.builders import NOON, make_account, make_event, open_account, record_usage

CLOCK = FrozenClock(NOON)


def let_happen_meanwhile(monkeypatch: pytest.MonkeyPatch, what: Callable[[], None]) -> None:
    """Let something happen once the backup has begun to read, before it reads the first table."""
    tables = store.kept_tables()

    def kept_tables() -> object:
        what()
        return tables

    monkeypatch.setattr(store, "kept_tables", kept_tables)


def test_a_backup_is_one_state_although_others_write_meanwhile(
    database: Database, backups: Backups, new_file: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    open_account(database)
    record_usage(database, make_event())
    before = contents(database)

    def write() -> None:
        record_usage(database, make_event(occurred_at=NOON + timedelta(minutes=20)))
        open_account(database, make_account(id="acct_2"))

    let_happen_meanwhile(monkeypatch, write)
    backups.take(tmp_path / "books.zip")
    assert len(contents(database)["accounts"]) == 2
    Backups(new_file, CLOCK).restore(tmp_path / "books.zip")
    after = contents(new_file)
    assert [after[name] for name in ("accounts", "usage_events", "usage_rollup")] == [
        before[name] for name in ("accounts", "usage_events", "usage_rollup")
    ]


def test_the_whole_of_a_large_table_comes_along_page_by_page(
    database: Database, backups: Backups, empty: Database, tmp_path: Path
) -> None:
    """More than two pages of 5,000 rows; ids decide the order, not the order of recording."""
    record_usage(database, *(make_event(occurred_at=NOON - timedelta(seconds=second)) for second in range(10_001)))
    taken = backups.take(tmp_path / "books.zip")
    assert next(table.rows for table in taken.tables if table.name == UsageEventRow.__tablename__) == 10_001
    Backups(empty, CLOCK).restore(tmp_path / "books.zip")
    assert contents(empty)["usage_events"] == contents(database)["usage_events"]


def test_the_file_is_for_its_owner_alone_and_nothing_lies_beside_it(backups: Backups, tmp_path: Path) -> None:
    folder = tmp_path / "backups"
    folder.mkdir()
    backups.take(folder / "books.zip")
    assert [file.name for file in folder.iterdir()] == ["books.zip"]
    assert stat.S_IMODE((folder / "books.zip").stat().st_mode) == 0o600


def test_a_backup_replaces_no_file(books: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    taken = tmp_path / "books.zip"

    def take_the_name() -> None:
        taken.write_text("precious")

    let_happen_meanwhile(monkeypatch, take_the_name)
    for _ in ("the name is free at first", "it is not"):
        with pytest.raises(BackupFileUnusable, match="already"):
            Backups(books, CLOCK).take(taken)
        assert [file.read_text() for file in tmp_path.iterdir()] == ["precious"]


def test_a_backup_that_fails_leaves_nothing(books: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(BackupFileUnusable, match="No such file or directory"):
        Backups(books, CLOCK).take(tmp_path / "no such folder" / "books.zip")

    def fill_the_disk() -> None:
        raise OSError(28, "No space left on device")

    let_happen_meanwhile(monkeypatch, fill_the_disk)
    with pytest.raises(BackupFileUnusable, match="No space left on device"):
        Backups(books, CLOCK).take(tmp_path / "books.zip")
    assert list(tmp_path.iterdir()) == []


def test_a_backup_needs_the_schema_of_this_version(new_file: Database, tmp_path: Path) -> None:
    with pytest.raises(schema.SchemaOutdated):
        Backups(new_file, CLOCK).take(tmp_path / "books.zip")
    assert not (tmp_path / "books.zip").exists()
