"""A server that stops finishes what runs, records it, and refuses what waits."""

import asyncio

from sqlalchemy import select

from app.charging.tables import ProcessLeaseRow
from app.database import Database
from app.metering.tables import DeviceIntervalRow, UsageEventRow
from tests.api.gate import GATE
from tests.api.installation import until
from tests.installation_fixtures import NOON, Start
from tests.postgresql_server import PostgresqlServer


async def test_a_call_that_runs_is_finished_and_one_that_waits_is_refused(database: Database, start: Start) -> None:
    url = database.url.render_as_string(hide_password=False)
    async with start(url) as faremeter:
        tenant = faremeter.tenant()
        with GATE.closed():
            running = asyncio.create_task(faremeter.predict(tenant, [[5, 0]], model="moody", Idempotency_Key="runs"))
            await asyncio.to_thread(GATE.wait_until_reached)
            waiting = asyncio.create_task(faremeter.predict(tenant, [[6, 0]], model="moody", Idempotency_Key="waits"))
            await until(lambda: faremeter.waiting("moody") == 1)
            stopping = asyncio.create_task(faremeter.services.engine.stop())
            refused = await waiting
        finished = await running
        await stopping
    assert (finished.status_code, refused.status_code) == (200, 503)
    assert refused.json()["code"] == "model_unavailable"
    with database.reading() as session:
        events = session.scalars(select(UsageEventRow.id)).all()
        leases = session.scalars(select(ProcessLeaseRow.id)).all()
    assert events == [finished.json()["id"]]
    assert leases == []


async def test_the_time_that_a_device_was_held_is_noted_to_the_end(database: Database, start: Start) -> None:
    url = database.url.render_as_string(hide_password=False)
    async with start(url) as faremeter:
        held_until = NOON.replace(minute=7)
        faremeter.clock.move_to(held_until)
    with database.reading() as session:
        columns = DeviceIntervalRow.device, DeviceIntervalRow.started_at, DeviceIntervalRow.ended_at
        assert [tuple(row) for row in session.execute(select(*columns))] == [("cpu", NOON, held_until)]


async def test_a_server_stops_although_its_database_is_away(
    postgres_url: str, postgresql_server: PostgresqlServer, start: Start
) -> None:
    async with start(postgres_url) as faremeter:
        name = faremeter.services.database.url.database
        postgresql_server._execute(f"ALTER DATABASE {name} ALLOW_CONNECTIONS false")
        postgresql_server._execute(f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'")
