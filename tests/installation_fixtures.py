"""Started applications on each kind of database, shared by the session: tests keep apart by their accounts."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio

from app.clock import Clock, FrozenClock
from app.inference.engine import VersionStatus
from app.main import create_app
from app.settings import Settings
from tests.api.installation import Installation, prepare
from tests.api.models import build_models
from tests.postgresql_server import PostgresqlServer

PORTAL_URL = "http://portal.example.test"
NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)
Start = Callable[..., AbstractAsyncContextManager[Installation]]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Run the async tests of these folders on the loop of the session, on which the shared applications run."""
    homes = {Path(__file__).parent / "api", Path(__file__).parent / "portal"}
    for item in items:
        if homes & set(item.path.parents) and pytest_asyncio.is_async_test(item):
            item.add_marker(pytest.mark.asyncio(loop_scope="session"), append=False)


@pytest.fixture(scope="session")
def model_folders(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The settings that name the models' folders."""
    folder = tmp_path_factory.mktemp("installation")
    build_models(folder / "models", folder / "data")
    return {"models_dir": folder / "models", "data_dir": folder / "data"}


@pytest.fixture(scope="session")
def settings_on(model_folders: dict[str, Path]) -> Callable[..., Settings]:
    """Settings for a database; nothing is fetched from anywhere."""

    def settings(database_url: str, **others: Any) -> Settings:
        values = {"database_url": database_url, "device": "cpu", "fetch_weights": False, **model_folders, **others}
        return Settings.model_validate(values)

    return settings


@pytest.fixture(scope="session")
def start(settings_on: Callable[..., Settings]) -> Start:
    """Start an application on a migrated, empty database; its clock stands still unless another is given."""

    @asynccontextmanager
    async def started(database_url: str, clock: Clock | None = None, **settings: Any) -> AsyncIterator[Installation]:
        clock = clock or FrozenClock(NOON)
        app = create_app(settings_on(database_url, **settings), clock)
        transport = httpx.ASGITransport(app)
        async with (
            app.router.lifespan_context(app),
            httpx.AsyncClient(transport=transport, base_url="http://api.example.test") as http,
        ):
            assert isinstance(clock, FrozenClock)
            installation = Installation(app, http, clock)
            prepare(installation.services)
            await until_ready(installation)
            yield installation

    return started


async def until_ready(installation: Installation) -> None:
    """Wait until every version with weights answers."""
    engine = installation.services.engine
    while VersionStatus.LOADING in {v.status for state in engine.catalogue() for v in state.versions.values()}:  # noqa: ASYNC110 - a real loader tells nobody
        await asyncio.sleep(0.01)


@pytest.fixture(scope="module")
def sqlite_file(new_sqlite_file: Callable[[], Path]) -> str:
    """The URL of a migrated, empty SQLite file for the tests of one module."""
    return f"sqlite:///{new_sqlite_file()}"


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def shared_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database for the API's tests of the whole session, of each kind."""
    yield from _database_url(request)


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def portal_url(request: pytest.FixtureRequest) -> Iterator[str]:
    """A migrated database for the portal's tests of the whole session, of each kind."""
    yield from _database_url(request)


def _database_url(request: pytest.FixtureRequest) -> Iterator[str]:
    if request.param == "sqlite":
        yield f"sqlite:///{request.getfixturevalue('new_sqlite_file')()}"
        return
    server: PostgresqlServer = request.getfixturevalue("postgresql_server")
    name = server.copy_database(request.getfixturevalue("postgres_template"))
    yield server.url(name)
    server.drop_database(name)


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def faremeter(shared_url: str, start: Start) -> AsyncIterator[Installation]:
    """The shared application: it is Sunday noon, the 15th of March 2026, for ever."""
    async with start(shared_url) as installation:
        yield installation


@pytest_asyncio.fixture(scope="session", loop_scope="session")
async def portal(portal_url: str, start: Start) -> AsyncIterator[Installation]:
    """The application as people see it: who signs up gets the plan `payg`. Its clock stands still as well."""
    async with start(portal_url, default_plan="payg", public_url=PORTAL_URL) as installation:
        yield installation
