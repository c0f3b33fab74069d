"""What scenarios start from: a database of either kind, and the books in it."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.bootstrap import Books
from tests.conftest import PROOF
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


# The short form of what is mostly waiting for servers to start tries one kind of database; the full form tries both.
_SHORT_ON = {
    "test_who_leaves_is_charged_once_or_not_at_all_and_holds_nothing_after": "sqlite_url",
    "test_what_a_stopped_or_killed_server_held_is_freed_by_another": "postgres_url",
    "test_a_server_ends_well_with_held_calls_and_the_worker_frees_what_a_killed_one_held": "sqlite_url",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the other kind of database out in the short form: such a test is no part of that run."""
    if PROOF:
        return
    left_out = {item for item in items if _kept_on(item) not in {None, _database_of(item)}}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def _kept_on(item: pytest.Item) -> str | None:
    return _SHORT_ON.get(item.name.partition("[")[0])


def _database_of(item: pytest.Item) -> object:
    return item.callspec.params.get("database_url") if hasattr(item, "callspec") else None
