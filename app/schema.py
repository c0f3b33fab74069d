"""The schema of the database: brought up to date by migrations, and never by starting a server."""

from importlib import import_module
from pathlib import Path

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory

from app.database import Base, Database
from app.errors import Unavailable

_APP = Path(__file__).resolve().parent
_MIGRATIONS = _APP.parent / "migrations"


class SchemaOutdated(Unavailable):
    """The database is not at the version that this program needs."""

    code = "schema_outdated"


def upgrade(database: Database, revision: str = "head") -> str:
    """Migrate the database forward and return its revision. Raises DatabaseUnavailable."""
    database.check()
    with database.engine.connect() as connection:
        command.upgrade(_config(connection), revision)
    return current(database)


def current(database: Database) -> str:
    """Return the revision that the database is at, empty where it has no tables."""
    with database.engine.connect() as connection:
        return MigrationContext.configure(connection).get_current_revision() or ""


def require_head(database: Database) -> None:
    """Raise SchemaOutdated unless the database is at the newest revision; DatabaseUnavailable where it is away."""
    database.check()
    head = ScriptDirectory.from_config(_config()).get_current_head()
    if current(database) != head:
        raise SchemaOutdated("the database is not at this program's version", hint="run `faremeter db upgrade`")


def knows(revision: str) -> bool:
    """Tell whether this program's migrations lead to that revision."""
    return revision in {each.revision for each in ScriptDirectory.from_config(_config()).walk_revisions()}


def import_tables() -> type[Base]:
    """Import every `app/*/tables.py` and return the base of all mapped classes, whose metadata is whole then."""
    for file in sorted(_APP.glob("*/tables.py")):
        import_module(f"app.{file.parent.name}.tables")
    return Base


def _config(connection: object = None) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    if connection is not None:
        config.attributes["connection"] = connection
    return config
