"""What scenarios start from: a database of either kind, and the books in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bootstrap import Books
from tests.scenarios.server_process import books_on


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database: the scenario runs once on each kind."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def books(database_url: str, tmp_path: Path) -> Iterator[Books]:
    """The books that the scenario's server keeps, seen from outside."""
    books = books_on(database_url, tmp_path)
    yield books
    books.database.dispose()
