"""Statements that take a whole group of rows as their parameters: what the path of a call is made of.

Owns: how such a statement is built once a dialect and handed to the driver as text, how parameters and rows are packed.
Does not own: any table or query. Through SQLAlchemy's own handling of parameters each would take three times as long;
and one statement that is prepared once for groups of every size spares PostgreSQL its planning.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import cache, wraps
from types import SimpleNamespace
from typing import Any

import msgspec
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
from sqlalchemy.dialects.postgresql import psycopg
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.sql.elements import KeyedColumnElement

from app.database import Base, Instant, dialect_of
from app.ids import microseconds

Parameters = Mapping[str, object] | Sequence[Mapping[str, object]]
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def group_sql(build: Callable[[str], ClauseElement]) -> Callable[[Session, Parameters], CursorResult[Any]]:
    """Turn a function that builds a dialect's statement into one that executes it; it is built and compiled once.

    Parameters are what the driver knows, instants, and what `listed` and `json_text` make. A list of them executes the
    statement once for each.
    """

    @cache
    def sql(dialect: str) -> str:
        return str(build(dialect).compile(dialect=_dialects()[dialect]))

    @wraps(build)
    def execute(session: Session, parameters: Parameters) -> CursorResult[Any]:
        dialect = dialect_of(session)
        given: Any = parameters if dialect == "postgresql" else _without_instants(parameters)
        if isinstance(given, list) and len(given) == 1:
            given = given[0]  # a lone call is a group, too
        return session.connection().exec_driver_sql(sql(dialect), given)

    return execute


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
    named: Any = psycopg.dialect  # it has no types
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
