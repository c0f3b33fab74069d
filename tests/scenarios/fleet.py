"""Several servers over one database, started and ended together, and what their gates keep in it."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from pathlib import Path

from sqlalchemy import func, select

from app.bootstrap import Books
from app.charging.tables import ClaimRow, GateCounterRow, GatePositionRow, HoldRow
from tests.scenarios.server_process import ServerProcess


@asynccontextmanager
async def fleet(database_url: str, folder: Path, count: int, **settings: str) -> AsyncIterator[list[ServerProcess]]:
    """Serve by so many processes without limits; whoever still runs at the end gets SIGTERM."""
    servers = [_server(database_url, folder / f"server-{number}", settings) for number in range(count)]
    try:
        await asyncio.gather(*(asyncio.to_thread(server.start) for server in servers))
        yield servers
    finally:
        await asyncio.gather(*(asyncio.to_thread(server.end) for server in servers))


def holds_in(books: Books) -> int:
    """Return how many calls hold something at any gate."""
    with books.database.reading() as session:
        return int(session.scalar(select(func.count()).select_from(HoldRow)) or 0)


def is_at_rest(books: Books) -> bool:
    """Tell whether no call holds or claims anything."""
    with books.database.reading() as session:
        running = session.scalar(select(func.count()).where(ClaimRow.state == "running"))
    return not running and not holds_in(books)


def held_in(books: Books, account_ids: Sequence[str]) -> list[int]:
    """Return all that positions and counters of the accounts say is held, apart from the holds themselves."""
    position, counter = GatePositionRow, GateCounterRow
    held = (position.held_requests, position.held_units, position.held_results)
    with books.database.reading() as session:
        rows = [*session.execute(select(*held).where(position.account_id.in_(account_ids)))]
        rows += session.execute(select(counter.held).where(counter.account_id.in_(account_ids)))
    return [number for row in rows for number in row]


def _server(database_url: str, folder: Path, settings: dict[str, str]) -> ServerProcess:
    folder.mkdir()
    return ServerProcess(database_url, folder, limits="off", **settings)
