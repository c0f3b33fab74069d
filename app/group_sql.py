"""Statements that take a whole group of rows as their parameters: what the path of a call is made of.

Owns: how such a statement is built once a dialect and handed to the driver as text, how parameters and rows are packed.
Does not own: any table or query. Through SQLAlchemy's own handling of parameters each would take three times as long;
and one statement that is prepared once for groups of every size spares PostgreSQL its planning.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from functools import cache
from types import SimpleNamespace
from typing import Any

import msgspec
import psycopg
from sqlalchemy import (
    JSON,
    Boolean,
    ClauseElement,
    ColumnElement,
    CursorResult,
    Dialect,
    TableValuedAlias,
    Text,
    any_,
    bindparam,
    cast,
    column,
    func,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.dialects.postgresql.psycopg import dialect as PsycopgDialect  # noqa: N812 - a class
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import KeyedColumnElement

from app.database import Base, Instant, dialect_of
from app.ids import microseconds

Parameters = Mapping[str, object] | Sequence[Mapping[str, object]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class GroupStatement:
    """A statement for a group of rows. Called, it is executed: the result is that of the driver.

    Parameters are what the driver knows, instants, and what `listed` and `json_text` make. A list of them executes the
    statement once for each.
    """

    def __init__(self, build: Callable[[str], ClauseElement]) -> None:
        """Take what builds the statement of a dialect; it is built and compiled once."""
        self._build = build
        self._sql: dict[str, str] = {}

    def __call__(self, session: Session, parameters: Parameters) -> CursorResult[Any]:
        """Execute the statement."""
        dialect = dialect_of(session)
        given: Any = parameters if dialect == "postgresql" else _without_instants(parameters)
        if isinstance(given, list) and len(given) == 1:
            given = given[0]  # a lone call is a group, too
        return session.connection().exec_driver_sql(self.sql(dialect), given)

    def sql(self, dialect: str) -> str:
        """Return its text."""
        if dialect not in self._sql:
            self._sql[dialect] = str(self._build(dialect).compile(dialect=_dialects()[dialect]))
        return self._sql[dialect]


def group_sql(build: Callable[[str], ClauseElement]) -> GroupStatement:
    """Turn a function that builds a dialect's statement into the statement."""
    return GroupStatement(build)


def ask_together(session: Session, *questions: tuple[GroupStatement, Parameters]) -> list[Sequence[Any]]:
    """Execute statements one after the other and return the rows of each, as tuples.

    PostgreSQL gets all of them in one go: each still sees what was committed while the one before waited for a lock.
    """
    if dialect_of(session) == "sqlite":
        return [statement(session, parameters).all() for statement, parameters in questions]
    with in_one_go(session):
        connection: Any = _driver_connection(session)
        cursors = [connection.execute(statement.sql("postgresql"), parameters) for statement, parameters in questions]
    return [cursor.fetchall() for cursor in cursors]


@contextmanager
def in_one_go(session: Session) -> Iterator[None]:
    """Send what is executed inside to PostgreSQL without waiting for each answer; inside, no answer can be read.

    An error of any of the statements is raised at one of those behind it, or at the end. SQLite does nothing of this.
    """
    connection = _driver_connection(session)
    if not isinstance(connection, psycopg.Connection) or connection.pgconn.pipeline_status:
        yield
        return
    try:
        with connection.pipeline():
            yield
    except psycopg.Error as error:
        raise DBAPIError.instance(None, None, error, psycopg.Error, hide_parameters=True) from error


def _driver_connection(session: Session) -> object:
    return session.connection().connection.driver_connection


def among(dialect: str, subject: ColumnElement[Any] | InstrumentedAttribute[Any], name: str) -> ColumnElement[bool]:
    """Return the condition that the column has one of the values of the parameter `name`, which `listed` makes."""
    if dialect == "postgresql":
        return subject == any_(bindparam(name, type_=postgresql.ARRAY(subject.type)))
    return subject.in_(select(func.json_each(bindparam(name)).table_valued("value").c.value))


def listed(session: Session, values: Iterable[str | datetime]) -> object:
    """Return the values as one parameter for `among`."""
    if dialect_of(session) == "postgresql":
        return list(values)
    return json_text([microseconds(each) if isinstance(each, datetime) else each for each in values])


def json_rows(table: type[Base], names: Iterable[str], parameter: str = "rows") -> TableValuedAlias:
    """Return the rows of a parameter, a JSON text of objects, with columns of the table (PostgreSQL)."""
    rows = cast(bindparam(parameter, type_=Text), JSON)
    named = [column(name, table.__table__.c[name].type) for name in names]
    return func.json_to_recordset(rows).table_valued(*named).render_derived(name=f"given_{parameter}", with_types=True)


def json_text(rows: object) -> str:
    """Return dataclasses, dicts or plain values as JSON: integers of any size and instants exactly as they are."""
    return msgspec.json.encode(rows).decode()


def packed(dialect: str, table: type[Base]) -> ColumnElement[str]:
    """Return a row of the table as one text, for `unpacked`: so rows of several tables come from one statement."""
    pack = func.json_build_array if dialect == "postgresql" else func.json_array
    return cast(pack(*table.__table__.c), Text)


def unpacked(table: type[Base], text: str) -> SimpleNamespace:
    """Return a packed row with its columns as attributes."""
    values = zip(_readers(table), msgspec.json.decode(text), strict=True)
    return SimpleNamespace(
        **{name: each if read is None or each is None else read(each) for (name, read), each in values}
    )


def _without_instants(parameters: Parameters) -> Parameters:
    """Return the parameters with instants as SQLite stores them."""
    if isinstance(parameters, Mapping):
        return _row_without_instants(parameters)
    return [_row_without_instants(each) for each in parameters]


def _row_without_instants(row: Mapping[str, object]) -> Mapping[str, object]:
    return {name: microseconds(each) if isinstance(each, datetime) else each for name, each in row.items()}


@cache
def _dialects() -> Mapping[str, Dialect]:
    named: Any = PsycopgDialect  # it has no types
    return {"postgresql": named(), "sqlite": sqlite.dialect(paramstyle="named")}


@cache
def _readers(table: type[Base]) -> tuple[tuple[str, Callable[[Any], object] | None], ...]:
    return tuple((each.name, _reader(each)) for each in table.__table__.c)


def _reader(stored: KeyedColumnElement[Any]) -> Callable[[Any], object] | None:
    if isinstance(stored.type, Instant):
        return _instant_of
    return bool if isinstance(stored.type, Boolean) else None


def _instant_of(value: str | int) -> datetime:
    return datetime.fromisoformat(value) if isinstance(value, str) else _EPOCH + timedelta(microseconds=value)
