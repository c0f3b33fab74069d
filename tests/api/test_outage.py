"""The database goes away while the server serves: 503, nothing billed, and it comes back without a restart."""

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import pytest_asyncio
from sqlalchemy import text

from app import bootstrap, database
from tests.api.installation import Installation, until
from tests.api.problems import Expected, assert_problem
from tests.installation_fixtures import Start
from tests.postgresql_server import PostgresqlServer

AWAY = Expected(503, "database_unavailable", hint=False)


@pytest.fixture
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """Give up after a moment, so that the tests need not wait as long as a client would."""
    monkeypatch.setattr(bootstrap, "_RECORD_PATIENCE_S", 0.2)
    monkeypatch.setattr(bootstrap, "_GATE_PATIENCE_S", 0.2)
    monkeypatch.setattr(database, "_BUSY_TIMEOUT_MS", 100)


@pytest_asyncio.fixture(loop_scope="session")
async def on_sqlite(impatient: None, sqlite_url: str, start: Start) -> AsyncIterator[Installation]:
    async with start(sqlite_url) as installation:
        yield installation


@pytest_asyncio.fixture(loop_scope="session")
async def on_postgresql(impatient: None, postgres_url: str, start: Start) -> AsyncIterator[Installation]:
    async with start(postgres_url) as installation:
        yield installation


@contextmanager
def locked(faremeter: Installation) -> Iterator[None]:
    """Hold the write lock of the SQLite file in another connection."""
    file = faremeter.services.database.url.database
    assert file
    assert Path(file).exists()
    other = sqlite3.connect(file, isolation_level=None)
    other.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        other.execute("ROLLBACK")
        other.close()


@contextmanager
def away(server: PostgresqlServer, faremeter: Installation) -> Iterator[None]:
    """Let the server refuse this database and end whoever is connected to it."""
    name = faremeter.services.database.url.database
    server._execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
    terminate(server, faremeter)
    try:
        yield
    finally:
        server._execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS true")


def terminate(server: PostgresqlServer, faremeter: Installation) -> None:
    name = faremeter.services.database.url.database
    server._execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")


async def test_a_locked_sqlite_file_is_a_503_that_charges_nothing(on_sqlite: Installation) -> None:
    tenant = on_sqlite.tenant()
    assert (await on_sqlite.predict(tenant)).status_code == 200
    with locked(on_sqlite):
        plain, claimed = await asyncio.gather(
            on_sqlite.predict(tenant), on_sqlite.predict(tenant, Idempotency_Key="while-locked")
        )
    for response in (plain, claimed):
        body = assert_problem(response, AWAY)
        assert response.headers["retry-after"] == "1"
        assert "nothing was charged" in body["detail"]
    await on_sqlite.settled()
    assert len(on_sqlite.events(tenant.account_id)) == 1
    assert (await on_sqlite.predict(tenant, Idempotency_Key="while-locked")).status_code == 200
    assert len(on_sqlite.events(tenant.account_id)) == 2


async def test_reading_goes_on_while_the_sqlite_file_is_locked(on_sqlite: Installation) -> None:
    tenant = on_sqlite.tenant()
    with locked(on_sqlite):
        assert (await on_sqlite.http.get("/v1/usage", headers=tenant.headers)).status_code == 200
        assert (await on_sqlite.http.get("/readyz")).status_code == 200
        assert_problem(await on_sqlite.http.post("/v1/keys", json={}, headers=tenant.headers), AWAY)
    assert (await on_sqlite.http.post("/v1/keys", json={}, headers=tenant.headers)).status_code == 201


async def test_a_postgresql_that_is_away_is_a_503_that_charges_nothing(
    on_postgresql: Installation, postgresql_server: PostgresqlServer
) -> None:
    tenant, stranger = on_postgresql.tenant(), on_postgresql.tenant()
    assert (await on_postgresql.predict(tenant)).status_code == 200
    with away(postgresql_server, on_postgresql):
        responses = [
            await on_postgresql.predict(tenant),
            await on_postgresql.predict(tenant, Idempotency_Key="while-away"),
            await on_postgresql.predict(stranger),  # its key is not known yet
            await on_postgresql.http.get("/v1/usage", headers=tenant.headers),
            await on_postgresql.http.get("/v1/usage/events.csv", headers=tenant.headers),
            await on_postgresql.http.get("/readyz"),
        ]
        assert (await on_postgresql.http.get("/livez")).status_code == 200
    for response in responses:
        assert_problem(response, AWAY)
        assert response.headers["retry-after"] == "1"
    assert (await on_postgresql.predict(stranger)).status_code == 200
    assert (await on_postgresql.predict(tenant, Idempotency_Key="while-away")).status_code == 200
    assert len(on_postgresql.events(tenant.account_id)) == 2
    assert (await on_postgresql.http.get("/readyz")).status_code == 200


async def test_a_restart_of_postgresql_costs_no_call(
    on_postgresql: Installation, postgresql_server: PostgresqlServer
) -> None:
    tenant = on_postgresql.tenant()
    assert (await on_postgresql.predict(tenant)).status_code == 200
    for number in range(3):
        terminate(postgresql_server, on_postgresql)
        response = await on_postgresql.predict(tenant, Idempotency_Key=f"call-{number}")
        assert response.status_code == 200, response.text
    assert len(on_postgresql.events(tenant.account_id)) == 4


async def test_revocations_are_noticed_again_after_an_outage(
    on_postgresql: Installation, postgresql_server: PostgresqlServer
) -> None:
    tenant = on_postgresql.tenant()
    assert (await on_postgresql.predict(tenant)).status_code == 200
    with away(postgresql_server, on_postgresql):
        assert_problem(await on_postgresql.http.get("/readyz"), AWAY)
    on_postgresql.services.accounts.revoke_key(tenant.account_id, tenant.key_id)
    changes = on_postgresql.services.changes
    with on_postgresql.services.database.reading() as session:
        latest = session.execute(text("SELECT value FROM change_sequence")).scalar()
    await until(lambda: changes._seen == latest)  # the watch itself finds out
    assert_problem(await on_postgresql.predict(tenant), Expected(401, "unauthenticated"))
