"""The schema as the migrations make it: for the database fixtures and for the tests of the migrations themselves."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from alembic.config import Config
from sqlalchemy import Connection

from app.database import Database
from app.schema import upgrade

MIGRATIONS = Path(__file__).parent.parent / "migrations"


def migration_config(connection: Connection) -> Config:
    """Return the configuration with which alembic runs our migrations on this connection."""
    config = Config(attributes={"connection": connection})
    config.set_main_option("script_location", str(MIGRATIONS))
    return config


@contextmanager
def connected(url: str) -> Iterator[Connection]:
    """Yield a connection of a database that is closed again, so that nothing holds its file or its template."""
    database = Database(url)
    with database.engine.connect() as connection:
        yield connection
    database.dispose()


def migrate(url: str) -> None:
    """Bring the database to the newest revision, as `faremeter db upgrade` does."""
    database = Database(url)
    upgrade(database)
    database.dispose()
