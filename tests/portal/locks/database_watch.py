"""What a request changes in the database: what it commits itself, and nothing of the threads that work beside it."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

from sqlalchemy import Connection, event

from app.database import Database

_READING = ("SELECT", "SET", "SHOW", "PRAGMA", "BEGIN")
_WRITES = re.compile(r"\b(INSERT|UPDATE|DELETE|MERGE)\b")
# The application over ASGI runs in the caller's context, and hands it on to the threads of its pool.
_committed: ContextVar[list[str] | None] = ContextVar("committed", default=None)


@contextmanager
def writes_of(database: Database) -> Iterator[list[str]]:
    """Collect the writing statements that are committed for whoever runs inside the block."""
    committed: list[str] = []
    listeners = [
        (engine, name, listener)
        for engine in {database._durable, database._lax}
        for name, listener in (("before_cursor_execute", _note), ("commit", _keep), ("rollback", _forget))
    ]
    for listener in listeners:
        event.listen(*listener)
    token = _committed.set(committed)
    try:
        yield committed
    finally:
        _committed.reset(token)
        for listener in listeners:
            event.remove(*listener)


def changes(statement: str) -> bool:
    """Tell whether a statement may write; what begins with WITH may end as anything."""
    text = statement.lstrip().upper()
    return bool(_WRITES.search(text)) if text.startswith("WITH") else not text.startswith(_READING)


def _note(connection: Connection, _cursor: Any, statement: str, *_: Any) -> None:
    if _committed.get() is not None and changes(statement):
        connection.info.setdefault("written", []).append(statement)


def _keep(connection: Connection) -> None:
    committed, written = _committed.get(), connection.info.pop("written", [])
    if committed is not None:
        committed.extend(written)


def _forget(connection: Connection) -> None:
    connection.info.pop("written", None)
