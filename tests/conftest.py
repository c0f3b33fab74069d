"""What every test may ask for: a migrated, empty database of either kind, a clock that stands still, and N.

`database` runs its test twice, on SQLite and on a real PostgreSQL that the session starts itself; `postgres_url` and
`sqlite_url` serve tests that start a server of their own. Each test has a database to itself, copied from a template
that was migrated once. Durability settings are the defaults of both: nothing here turns fsync off.
"""

import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
import torch

from app.clock import FrozenClock
from app.database import Database
from tests.postgresql_server import PostgresqlServer
from tests.schema import migrate

pytest_plugins = ["tests.installation_fixtures"]  # the fixtures that tests of several folders share
PROOF = os.environ.get("PROOF") == "1"

# Derandomized: the suite gives the same verdict on the same code. `make proof` looks further, with fresh examples.
hypothesis.settings.register_profile("test", derandomize=True, max_examples=100, deadline=None)
hypothesis.settings.register_profile("proof", max_examples=2_000, deadline=None)
hypothesis.settings.load_profile("proof" if PROOF else "test")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what needs a GPU where there is none: such a test is not skipped, it is no part of the run."""
    if not any(item.get_closest_marker("gpu") for item in items) or torch.cuda.is_available():
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("gpu")])
    items[:] = [item for item in items if not item.get_closest_marker("gpu")]


@pytest.fixture(scope="session")
def n() -> Callable[[int, int], int]:
    """How many: `n(short, full)` is `short` in `make test` and `full` in `make proof`."""
    return lambda short, full: full if PROOF else short


@pytest.fixture
def clock() -> FrozenClock:
    """A Sunday noon in the middle of a month and of a 15-minute bucket's hour, far from every boundary."""
    return FrozenClock(datetime(2026, 3, 15, 12, tzinfo=UTC))


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request: pytest.FixtureRequest) -> Iterator[Database]:
    """A migrated, empty database: the test runs once on each kind."""
    url_fixture = {"sqlite": "sqlite_url", "postgresql": "postgres_url"}[request.param]
    database = Database(request.getfixturevalue(url_fixture))
    yield database
    database.dispose()


@pytest.fixture
def sqlite_url(sqlite_template: Path, tmp_path: Path) -> str:
    """The URL of a migrated, empty SQLite file."""
    file = tmp_path / "faremeter.db"
    shutil.copyfile(sqlite_template, file)
    return f"sqlite:///{file}"


@pytest.fixture
def postgres_url(postgresql_server: PostgresqlServer, postgres_template: str) -> Iterator[str]:
    """The URL of a migrated, empty PostgreSQL database."""
    name = postgresql_server.copy_database(postgres_template)
    yield postgresql_server.url(name)
    postgresql_server.drop_database(name)


@pytest.fixture
def empty_postgres_url(postgresql_server: PostgresqlServer) -> Iterator[str]:
    """The URL of a PostgreSQL database without any table: for the tests of migrations."""
    name = postgresql_server.copy_database("template0")
    yield postgresql_server.url(name)
    postgresql_server.drop_database(name)


@pytest.fixture(scope="session")
def sqlite_template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("template") / "faremeter.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgresql_server: PostgresqlServer) -> str:
    name = postgresql_server.copy_database("template0")
    migrate(postgresql_server.url(name))
    return name


@pytest.fixture(scope="session")
def postgresql_server() -> Iterator[PostgresqlServer]:
    with PostgresqlServer.started() as server:
        yield server
