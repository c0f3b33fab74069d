import asyncio
import shutil
from collections.abc import Iterator

import pytest

from app.database import Database
from tests.postgresql_server import PostgresqlServer
from tests.self_audit.busy_books import keep_busy_books


@pytest.fixture(scope="package", params=["sqlite", "postgresql"])
def busy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Database]:
    """Books that were kept once: whoever changes something does so in a transaction that is undone."""
    if request.param == "sqlite":
        file = tmp_path_factory.mktemp("busy") / "faremeter.db"
        shutil.copyfile(request.getfixturevalue("sqlite_template"), file)
        url = f"sqlite:///{file}"
    else:
        server: PostgresqlServer = request.getfixturevalue("postgresql_server")
        url = server.url(server.copy_database(request.getfixturevalue("postgres_template")))
    database = Database(url)
    asyncio.run(keep_busy_books(database))
    yield database
    database.dispose()
