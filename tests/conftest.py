"""What every test may ask for: a migrated, empty database of either kind, a clock that stands still, and N.

`database` runs its test twice, on SQLite and on a real PostgreSQL that the session starts itself; `postgres_url` and
`sqlite_url` serve tests that start a server of their own. Each test has a database to itself, copied from a template
that was migrated once. Durability settings are the defaults of both: nothing here turns fsync off.

`make test` shares the tests out to one process for each core, and each of them makes the fixtures of its own session;
`pytest` alone runs them in one process.
"""

import gc
import itertools
import os
import shutil
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path

import hypothesis
import pytest
import torch
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.accounts import password
from app.clock import FrozenClock
from app.database import Database
from tests.database_folder import database_folder as fresh_database_folder
from tests.postgresql_server import PostgresqlServer
from tests.schema import migrate

pytest_plugins = ["tests.installation_fixtures", "tests.figures"]  # what tests of several folders share
PROOF = os.environ.get("PROOF") == "1"

# Derandomized: the suite gives the same verdict on the same code. `make proof` looks further, with fresh examples.
hypothesis.settings.register_profile("test", derandomize=True, max_examples=100, deadline=None)
hypothesis.settings.register_profile("proof", max_examples=2_000, deadline=None)
hypothesis.settings.load_profile("proof" if PROOF else "test")


# The folders whose tests take longest come first: what is long must not begin when the others are done.
_LONG = [Path(__file__).parent / name for name in ("training", "scenarios", "browser")]


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Put long tests first; leave out what needs a GPU where there is none: it is no part of the run, not skipped."""
    items.sort(key=_turn)
    if not any(item.get_closest_marker("gpu") for item in items) or torch.cuda.is_available():
        return
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker("gpu")])
    items[:] = [item for item in items if not item.get_closest_marker("gpu")]


def _turn(item: pytest.Item) -> int:
    return next((turn for turn, folder in enumerate(_LONG) if folder in item.path.parents), len(_LONG))


def pytest_collection_finish() -> None:
    """Keep the program and thousands of collected tests out of every later search for garbage: they stay anyway."""
    gc.collect()
    gc.freeze()


@pytest.fixture(autouse=True, scope="session")
def cheap_passwords() -> Iterator[None]:
    """Hash with argon2 as ever, at its least cost: no password of a test is worth stealing, and there are hundreds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(password, "_hasher", PasswordHash((Argon2Hasher(time_cost=1, memory_cost=8, parallelism=1),)))
        password._decoy_hash.cache_clear()
        yield
    password._decoy_hash.cache_clear()


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
def sqlite_url(new_sqlite_file: Callable[[], Path]) -> Iterator[str]:
    """The URL of a migrated, empty SQLite file."""
    file = new_sqlite_file()
    yield f"sqlite:///{file}"
    shutil.rmtree(file.parent, ignore_errors=True)  # what a test left open may still write there


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
def database_folder() -> Iterator[Path]:
    with fresh_database_folder() as folder:
        yield folder


@pytest.fixture(scope="session")
def new_sqlite_file(sqlite_template: Path, database_folder: Path) -> Callable[[], Path]:
    """Copy the template into a folder of its own, and return its path."""
    numbers = itertools.count(1)

    def new() -> Path:
        folder = database_folder / f"sqlite-{next(numbers)}"
        folder.mkdir()
        return Path(shutil.copyfile(sqlite_template, folder / "faremeter.db"))

    return new


@pytest.fixture(scope="session")
def sqlite_template(database_folder: Path) -> Path:
    file = database_folder / "template.db"
    migrate(f"sqlite:///{file}")
    return file


@pytest.fixture(scope="session")
def postgres_template(postgresql_server: PostgresqlServer) -> str:
    name = postgresql_server.copy_database("template0")
    migrate(postgresql_server.url(name))
    return name


@pytest.fixture(scope="session")
def postgresql_server(database_folder: Path) -> Iterator[PostgresqlServer]:
    with PostgresqlServer.started(database_folder) as server:
        yield server
