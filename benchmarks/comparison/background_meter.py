"""Metering as a conventional build does it: a check before the call, a queue in memory, a flush in the background.

An ASGI middleware. Before a call it compares what the key has spent with its budget: what is recorded, and what this
process has queued. After a response has gone out, the call is queued; a thread writes the queue once a second in one
transaction, each event once by its id. What the queue holds when the process dies is gone.
"""

import asyncio
import threading
from collections import defaultdict
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any
from uuid import uuid4

from sqlalchemy import Engine, create_engine, event, text

UNIT_NANOS = 10_000
_FLUSH_S = 1.0
_SCHEMA = (
    "CREATE TABLE spend (key TEXT PRIMARY KEY, budget_nanos BIGINT NOT NULL, spent_nanos BIGINT NOT NULL)",
    "CREATE TABLE usage_events (id TEXT PRIMARY KEY, key TEXT, reference TEXT, nanos BIGINT NOT NULL)",
)

Scope = MutableMapping[str, Any]
Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]
App = Callable[[Scope, Any, Send], Awaitable[None]]


def connect(url: str) -> Engine:
    """Return an engine whose commits are as durable as Faremeter's."""
    if not url.startswith("sqlite"):
        return create_engine(url.replace("postgresql://", "postgresql+psycopg://", 1), pool_pre_ping=True)
    engine = create_engine(url, connect_args={"timeout": 10})

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        for pragma in ("journal_mode=WAL", "synchronous=FULL"):
            connection.execute(f"PRAGMA {pragma}")

    return engine


def create_schema(engine: Engine) -> None:
    """Make the tables."""
    with engine.begin() as connection:
        for statement in _SCHEMA:
            connection.execute(text(statement))


class BackgroundMeter:
    """Checks budgets before calls and meters them afterwards."""

    def __init__(self, app: App, database_url: str) -> None:
        self._app = app
        self._url = database_url
        self._lock = threading.Lock()
        self._queue: list[dict[str, Any]] = []
        self._queued_nanos: dict[str, int] = defaultdict(int)
        self._engine: Engine | None = None

    async def __call__(self, scope: Scope, receive: Any, send: Send) -> None:
        if scope["type"] != "http" or scope["path"] != "/predict":
            await self._app(scope, receive, send)
            return
        headers = {name.decode(): value.decode() for name, value in scope["headers"]}
        key = headers.get("authorization", "").removeprefix("Bearer ")
        if not await asyncio.to_thread(self._may_spend, key):
            await send({"type": "http.response.start", "status": 402, "headers": [(b"content-length", b"0")]})
            await send({"type": "http.response.body", "body": b""})
            return
        status = 0

        async def noting(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)
            await send(message)

        await self._app(scope, receive, noting)
        if status == 200:
            self._meter(key, headers.get("idempotency-key", ""))

    def _may_spend(self, key: str) -> bool:
        """Check, and let the call act on it: nothing is set aside."""
        with self._opened().connect() as connection:
            row = connection.execute(
                text("SELECT budget_nanos, spent_nanos FROM spend WHERE key = :key"), {"key": key}
            ).first()
        with self._lock:
            return row is not None and row.spent_nanos + self._queued_nanos[key] + UNIT_NANOS <= row.budget_nanos

    def _meter(self, key: str, reference: str) -> None:
        with self._lock:
            self._queue.append({"id": uuid4().hex, "key": key, "reference": reference, "nanos": UNIT_NANOS})
            self._queued_nanos[key] += UNIT_NANOS

    def _opened(self) -> Engine:
        """Open the database in the process that serves: LitServe forks after the application was made."""
        with self._lock:
            if self._engine is None:
                self._engine = connect(self._url)
                threading.Thread(target=self._flush_for_ever, daemon=True).start()
            return self._engine

    def _flush_for_ever(self) -> None:
        pause = threading.Event()
        while not pause.wait(_FLUSH_S):
            with self._lock:
                batch, self._queue = self._queue, []
            if batch:
                self._flush(batch)

    def _flush(self, batch: list[dict[str, Any]]) -> None:
        """Write the events and what they add to each key's spend; on an error they are queued again."""
        spent: dict[str, int] = defaultdict(int)
        for each in batch:
            spent[each["key"]] += each["nanos"]
        try:
            with self._opened().begin() as connection:
                connection.execute(
                    text(
                        "INSERT INTO usage_events (id, key, reference, nanos) VALUES (:id, :key, :reference, :nanos)"
                        " ON CONFLICT (id) DO NOTHING"
                    ),
                    batch,
                )
                connection.execute(
                    text("UPDATE spend SET spent_nanos = spent_nanos + :nanos WHERE key = :key"),
                    [{"key": key, "nanos": nanos} for key, nanos in sorted(spent.items())],
                )
        except Exception:  # noqa: BLE001 - whatever it was, the next flush tries again
            with self._lock:
                self._queue += batch
            return
        with self._lock:
            for key, nanos in spent.items():
                self._queued_nanos[key] -= nanos
