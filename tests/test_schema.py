"""The version of the schema: named, and required before anything is served."""

from pathlib import Path

import pytest

from app import schema
from app.database import Database, DatabaseUnavailable


def test_a_migrated_database_is_at_the_newest_revision(database: Database) -> None:
    schema.require_head(database)
    assert schema.current(database) == schema.upgrade(database) != ""


def test_foreign_keys_hold_after_each_upgrade(sqlite_url: str) -> None:
    """Also after one that had nothing to do: its connection goes back into the pool."""
    database = Database(sqlite_url)
    for _ in range(2):
        schema.upgrade(database)
        with database.reading() as session:
            assert session.connection().exec_driver_sql("PRAGMA foreign_keys").scalar() == 1
    database.dispose()


def test_a_database_without_tables_is_refused_with_the_remedy(tmp_path: Path) -> None:
    database = Database(f"sqlite:///{tmp_path}/new/books.db")
    assert schema.current(database) == ""
    with pytest.raises(schema.SchemaOutdated, match="faremeter db upgrade"):
        schema.require_head(database)
    schema.upgrade(database)
    schema.require_head(database)
    database.dispose()


def test_an_absent_server_is_unavailable_and_not_outdated(tmp_path: Path) -> None:
    database = Database(f"postgresql://nobody@/nothing?host={tmp_path}")
    with pytest.raises(DatabaseUnavailable):
        schema.require_head(database)
    with pytest.raises(DatabaseUnavailable):
        schema.upgrade(database)
    database.dispose()
