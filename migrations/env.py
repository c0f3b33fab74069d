"""Runs the migrations on a live connection: `config.attributes["connection"]`, else the database of the settings.

A migration is one transaction on both databases. Two processes that start at once take turns: PostgreSQL by an advisory
lock, SQLite by BEGIN IMMEDIATE; the second finds nothing left to do.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import Connection, text

from app.database import Database, Instant, SortableId
from app.schema import import_tables
from app.settings import load_settings

# Partitions are made by the migration (the default one) and at run time (one a month): no mapped class describes them.
_PARTITION = re.compile(r"usage_events_(default|\d{4}_\d{2})")
_ONE_MIGRATION_AT_A_TIME = 0x6661_7265_6D74  # an arbitrary, fixed number: "faremt"


def include_name(name: str | None, kind: str, _parents: Any) -> bool:
    """Leave the partitions of usage_events out of comparisons."""
    return not (kind == "table" and name is not None and _PARTITION.fullmatch(name))


def render_item(kind: str, item: Any, autogen_context: AutogenContext) -> str | Literal[False]:
    """Write our column types by their names."""
    name = "Instant" if isinstance(item, Instant) else "SortableId" if item is SortableId else None
    if kind != "type" or name is None:
        return False
    autogen_context.imports.add(f"from app.database import {name}")
    return name


def run_on(connection: Connection) -> None:
    """Run what alembic was asked for: upgrade, downgrade, or the comparison of `revision` and `check`."""
    context.configure(
        connection=connection,
        target_metadata=import_tables().metadata,
        include_name=include_name,
        render_item=render_item,
        render_as_batch=connection.dialect.name == "sqlite",
    )
    with _foreign_keys_at_rest(connection), context.begin_transaction():
        if connection.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _ONE_MIGRATION_AT_A_TIME})
        context.run_migrations()


@contextmanager
def _foreign_keys_at_rest(connection: Connection) -> Iterator[None]:
    """SQLite: batch mode copies a table and drops the old one, which foreign keys must not notice.

    They cannot be switched inside a transaction, so the caller's connection has to be outside of one.
    """
    if connection.dialect.name != "sqlite":
        yield
        return
    connection.execution_options(sqlite_begin="BEGIN IMMEDIATE")
    begun_here = not connection.in_transaction()
    driver_connection: Any = connection.connection.driver_connection
    driver_connection.execute("PRAGMA foreign_keys=OFF")
    try:
        yield
    finally:
        if begun_here:
            connection.rollback()  # where there was nothing to migrate, what was read has left a transaction open
        driver_connection.execute("PRAGMA foreign_keys=ON")


def main() -> None:
    connection = context.config.attributes.get("connection")
    if connection is not None:
        run_on(connection)
        return
    database = Database(load_settings().database_url_or_default)
    with database.engine.connect() as own_connection:
        run_on(own_connection)
    database.dispose()


main()
