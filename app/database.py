"""The database: SQLite or PostgreSQL behind one `transaction()`, which holds the only `commit()` of the program.

Owns: engines, the durability of a commit, the translation of driver errors. Does not own: any table or query.
Invariants: a transaction is committed whole or not at all; `durable=True` means that the data survive a power cut when
the block has been left (SQLite `synchronous=FULL`, PostgreSQL `synchronous_commit=on`); one writer at a time in SQLite.
"""

import select
import sqlite3
import threading
from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import (
    BigInteger,
    DateTime,
    Dialect,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    make_url,
    text,
)
from sqlalchemy import exc as sql_errors
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator

from app.errors import AppError, Invalid, InvariantViolation, Kind, Unavailable
from app.ids import microseconds

__all__ = [
    "Base",
    "CommitUncertain",
    "ConstraintViolated",
    "Database",
    "DatabaseUnavailable",
    "Instant",
    "Session",  # for signatures of use cases, which pass a session on and never query it
    "SortableId",
    "dialect_insert",
    "dialect_of",
    "insert_into",
]

_BUSY_TIMEOUT_MS = 10_000
# Pages of the log (16 MB): a quarter of SQLite's own figure would be copied into the database with each busy commit.
_CHECKPOINT = "wal_autocheckpoint=4000"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
# What passes by itself or by an operator's hand. Anything else, such as a table that is missing, is a bug or a refusal.
_SQLITE_AWAY = {
    sqlite3.SQLITE_BUSY,
    sqlite3.SQLITE_LOCKED,
    sqlite3.SQLITE_PROTOCOL,
    sqlite3.SQLITE_FULL,
    sqlite3.SQLITE_IOERR,
    sqlite3.SQLITE_READONLY,
    sqlite3.SQLITE_CANTOPEN,
    sqlite3.SQLITE_NOTADB,
    sqlite3.SQLITE_CORRUPT,
}
# By SQLSTATE: connection, resources, shutdown, deadlock and serialization, I/O; read-only; lock not available.
_POSTGRESQL_AWAY = ("08", "53", "57", "40", "58030", "25006", "55P03")


class DatabaseUnavailable(Unavailable):
    """The database cannot be reached or cannot write now; the same work may be tried again."""

    code = "database_unavailable"


class CommitUncertain(DatabaseUnavailable):
    """The connection broke while a commit was on its way: it may have taken effect, and only the database knows."""

    code = "commit_uncertain"


class ConstraintViolated(AppError):
    """A row was refused by the schema; the same row will be refused again."""

    kind = Kind.FAILED
    code = "constraint_violated"


class Base(DeclarativeBase):
    """The base of every mapped class; constraint names are derived, so that migrations can name them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(column_0_N_label)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )


class Instant(TypeDecorator[datetime]):
    """An aware UTC datetime, exact to the microsecond: timestamptz in PostgreSQL, microseconds since 1970 in SQLite."""

    impl = BigInteger
    cache_ok = True

    def load_dialect_impl(self, dialect: Dialect) -> Any:
        return dialect.type_descriptor(DateTime(timezone=True) if dialect.name == "postgresql" else BigInteger())

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> Any:
        if value is None:
            return None
        if value.tzinfo is None:  # else PostgreSQL would take it for UTC, and SQLite's driver for a bug
            raise InvariantViolation(f"{value} has no zone: it is no instant")
        if dialect.name == "postgresql":
            return value
        return microseconds(value)

    def process_result_value(self, value: Any, dialect: Dialect) -> datetime | None:  # noqa: ARG002 - SQLAlchemy's
        if value is None:
            return None
        return value.astimezone(UTC) if isinstance(value, datetime) else _EPOCH + timedelta(microseconds=value)


# A public id whose order is the order of time: compared byte by byte, whatever the database's collation.
SortableId = String().with_variant(String(collation="C"), "postgresql")


class Database:
    """One database, opened once a process. Raises Invalid for a URL of another kind."""

    def __init__(self, url: str) -> None:
        self.url = make_url(url)
        self.dialect = self.url.get_backend_name()
        if self.dialect == "sqlite" and self.url.database in (None, "", ":memory:"):
            raise Invalid(
                "a SQLite database needs a file", where="FAREMETER_DATABASE_URL", hint="use sqlite:////path/to/FILE"
            )
        if self.dialect == "sqlite":
            self._durable, self._lax = (_sqlite_engine(self.url, level) for level in ("FULL", "NORMAL"))
            self._writer: Any = threading.Lock()
        elif self.dialect == "postgresql":
            self._durable, self._lax = (_postgresql_engine(self.url, commit) for commit in ("on", "off"))
            self._writer = nullcontext()
        else:
            raise Invalid(
                f"{self.dialect!r} is not a database that Faremeter knows",
                where="FAREMETER_DATABASE_URL",
                hint="use sqlite:///FILE or postgresql://USER@HOST/NAME",
            )

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Session]:
        """Yield a session and commit when the block is left without an error.

        `durable=False` may lose the last commits in a crash of the machine, never their atomicity. Raises
        DatabaseUnavailable or ConstraintViolated in place of the driver's errors.
        """
        with _translated_errors(), self._writer, Session(self._durable if durable else self._lax) as session:
            if self.dialect == "sqlite":
                session.connection(execution_options={"sqlite_begin": "BEGIN IMMEDIATE"})
            yield session
            try:
                session.commit()
            except sql_errors.DBAPIError as error:
                if self.dialect == "postgresql" and _is_away(error):  # SQLite's has failed as a whole, or not
                    raise CommitUncertain("the database went away in the middle of a commit") from error
                raise

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """Yield a session that sees one state of the database and writes nothing."""
        with _translated_errors(), Session(self._durable) as session:
            if self.dialect == "postgresql":
                session.connection(execution_options={"isolation_level": "REPEATABLE READ"})
            yield session
            session.rollback()

    def check(self) -> None:
        """Raise DatabaseUnavailable where the database does not answer."""
        with self.reading() as session:
            session.execute(text("SELECT 1"))

    @property
    def engine(self) -> Engine:
        """The durable engine: for migrations."""
        return self._durable

    def dispose(self) -> None:
        """Close every connection."""
        self._durable.dispose()
        self._lax.dispose()


def dialect_of(session: Session) -> str:
    """Return `sqlite` or `postgresql`: what statements that are built once are kept by."""
    return session.get_bind().dialect.name


def dialect_insert(dialect: str, table: Table | type[Base]) -> Any:
    """Return the INSERT of a dialect, which has ON CONFLICT on both."""
    target: Any = table if isinstance(table, Table) else table.__table__
    return postgresql.insert(target) if dialect == "postgresql" else sqlite.insert(target)


def insert_into(session: Session, table: Table | type[Base]) -> Any:
    """Return the INSERT of this session's dialect."""
    return dialect_insert(dialect_of(session), table)


@contextmanager
def _translated_errors() -> Iterator[None]:
    try:
        yield
    except sql_errors.TimeoutError as error:  # no connection of the pool came free
        raise _unavailable() from error
    except sql_errors.DBAPIError as error:
        if _is_away(error):
            raise _unavailable() from error
        if not isinstance(error, sql_errors.IntegrityError | sql_errors.DataError):
            raise
        raise ConstraintViolated("the database refused a row") from _without_row(error)


def _unavailable() -> DatabaseUnavailable:
    return DatabaseUnavailable("the database does not answer; nothing was charged", retry_after_s=1)


def _is_away(error: sql_errors.DBAPIError) -> bool:
    """Tell whether the same statement may succeed later."""
    if isinstance(error.orig, sqlite3.Error):
        return getattr(error.orig, "sqlite_errorcode", 0) & 0xFF in _SQLITE_AWAY  # the low byte: the rest is detail
    sqlstate = getattr(error.orig, "sqlstate", None)
    if sqlstate is None:  # no server said so: the connection itself failed
        return isinstance(error, sql_errors.OperationalError | sql_errors.InterfaceError)
    return str(sqlstate).startswith(_POSTGRESQL_AWAY)


def _without_row(error: sql_errors.DBAPIError) -> sql_errors.DBAPIError:
    """Cut the text of an error to its first line: PostgreSQL quotes the row in those that follow."""
    for each in (error, error.orig):
        if each is not None:
            each.args = (str(each.args[0]).partition("\n")[0], *each.args[1:])
    return error


def _postgresql_engine(url: Any, synchronous_commit: str) -> Engine:
    engine = create_engine(
        url.set(drivername="postgresql+psycopg"),
        hide_parameters=True,  # else e-mails, hashes and answers would end in logs
        pool_size=8,
        max_overflow=24,
        pool_timeout=10,
        connect_args={
            "connect_timeout": 5,
            "options": f"-c synchronous_commit={synchronous_commit} -c timezone=UTC",
        },
    )

    @event.listens_for(engine, "checkout")
    def refuse_dead(connection: Any, _record: Any, _proxy: Any) -> None:
        if _has_ended(connection):
            raise sql_errors.DisconnectionError("the server has gone")  # the pool opens another connection

    return engine


def _has_ended(connection: Any) -> bool:
    """Tell whether the server has ended a connection: then there is something to read, though nothing was asked.

    A ping would tell the same, and cost each call of the hot path a way to the server.
    """
    if connection.closed:
        return True
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    return bool(watch.poll(0))


def _sqlite_engine(url: Any, synchronous: str) -> Engine:
    Path(url.database).parent.mkdir(parents=True, exist_ok=True)
    engine = create_engine(
        url,
        hide_parameters=True,  # else e-mails, hashes and answers would end in logs
        connect_args={"timeout": _BUSY_TIMEOUT_MS / 1000, "check_same_thread": False},
    )

    @event.listens_for(engine, "connect")
    def configure(connection: Any, _record: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's own BEGIN below, not the driver's
        for pragma in ("journal_mode=WAL", f"synchronous={synchronous}", "foreign_keys=ON", _CHECKPOINT):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def begin(connection: Any) -> None:
        connection.exec_driver_sql(connection.get_execution_options().get("sqlite_begin", "BEGIN"))

    return engine
