import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.backup.service import Backups
from app.clock import FrozenClock
from app.database import Database
from tests.backup.full_database import contents, fill
from tests.builders import NOON

Contents = dict[str, list[tuple[object, ...]]]


@pytest.fixture
def backups(database: Database, clock: FrozenClock) -> Backups:
    return Backups(database, clock)


@pytest.fixture(scope="session")
def books(sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """A SQLite database with a row in every table, which tests only read."""
    file = tmp_path_factory.mktemp("full") / "faremeter.db"
    shutil.copyfile(sqlite_template, file)
    database = Database(f"sqlite:///{file}")
    fill(database)
    yield database
    database.dispose()


@pytest.fixture(scope="session")
def archive(books: Database, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A backup of it."""
    path = tmp_path_factory.mktemp("archive") / "books.zip"
    Backups(books, FrozenClock(NOON)).take(path)
    return path


@pytest.fixture(scope="session")
def archived(books: Database) -> Contents:
    """What is in both."""
    return contents(books)


@pytest.fixture
def new_file(tmp_path: Path) -> Iterator[Database]:
    """A SQLite database without tables."""
    database = Database(f"sqlite:///{tmp_path}/new/faremeter.db")
    yield database
    database.dispose()


@pytest.fixture(params=["sqlite", "postgresql"])
def empty(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A database without tables, of each kind."""
    if request.param == "sqlite":
        yield request.getfixturevalue("new_file")
        return
    database = Database(request.getfixturevalue("empty_postgres_url"))
    yield database
    database.dispose()
