"""All SQL of backups: every table's rows out of one snapshot, and into a database that has none."""

from collections.abc import Iterator, Sequence
from typing import Any

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    column,
    inspect,
    literal,
    select,
    table,
    text,
)
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.backup.manifest import ArchivedColumn, ArchivedTable, ColumnKind
from app.database import Instant, dialect_of
from app.errors import InvariantViolation
from app.schema import import_tables

_PAGE_ROWS = 5_000
_PARTITIONED = "usage_events"
_REVISION = "alembic_version"
# A lease is the sign of life of a process of the database that was backed up: none of them lives in another one.
_NOT_KEPT = {"process_leases"}
_TYPES: dict[ColumnKind, Any] = {
    ColumnKind.TEXT: String,
    ColumnKind.INTEGER: BigInteger,
    ColumnKind.BOOLEAN: Boolean,
    ColumnKind.BYTES: LargeBinary,
    ColumnKind.INSTANT: Instant,
}


def revision(session: Session) -> str:
    """Return the revision of the schema that this session sees."""
    return str(session.scalars(select(table(_REVISION, column("version_num")).c.version_num)).one())


def kept_tables() -> list[tuple[str, tuple[ArchivedColumn, ...]]]:
    """Return the tables of this program that a backup keeps, each behind those that it refers to."""
    return [
        (str(each.name), tuple(ArchivedColumn(str(it.name), _kind_of(it)) for it in each.columns))
        for each in import_tables().metadata.sorted_tables
        if each.name not in _NOT_KEPT
    ]


def read_pages(session: Session, name: str, columns: Sequence[ArchivedColumn]) -> Iterator[Sequence[Sequence[Any]]]:
    """Yield the rows of a table in pages, in the order of its primary key; one page at a time is in memory."""
    source = import_tables().metadata.tables[name]
    rows = session.execute(
        select(*(source.c[it.name] for it in columns)).order_by(*source.primary_key),
        execution_options={"stream_results": True, "yield_per": _PAGE_ROWS},
    )
    for page in rows.partitions():
        yield [tuple(row) for row in page]


def columns_by_table(session: Session) -> dict[str, set[str]]:
    """Return the tables that this database should get rows of, by name with their columns' names."""
    found = inspect(session.connection())
    names = {name for name in found.get_table_names() if not _is_partition(name)} - {_REVISION}
    return {name: {each["name"] for each in found.get_columns(name)} for name in names - _NOT_KEPT}


def lock_tables(session: Session) -> None:
    """Keep everybody else from writing until the transaction ends (SQLite has one writer anyway)."""
    if dialect_of(session) == "postgresql":
        quoted = session.connection().dialect.identifier_preparer.quote
        names = ", ".join(quoted(name) for name in sorted(inspect(session.connection()).get_table_names()))
        session.execute(text(f"LOCK TABLE {names} IN SHARE ROW EXCLUSIVE MODE"))


def table_with_rows(session: Session) -> str | None:
    """Return the name of a table that holds a row, None where the whole database is empty."""
    names = inspect(session.connection()).get_table_names()
    for name in sorted(set(names) - {_REVISION}):
        if session.scalar(select(literal(1)).select_from(table(name)).limit(1)):
            return name
    return None


def insert_page(session: Session, target: ArchivedTable, rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows whose values stand in the order of the table's columns. Raises ConstraintViolated."""
    names = [it.name for it in target.columns]
    if dialect_of(session) == "postgresql":
        _copy(session, target.name, names, rows)
        return
    into = Table(target.name, MetaData(), *(Column(it.name, _TYPES[it.kind]) for it in target.columns))
    session.execute(into.insert(), [dict(zip(names, row, strict=True)) for row in rows])


def _copy(session: Session, name: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Send rows by COPY, which takes a sixth of the time of INSERT; errors look as those of other statements."""
    connection = session.connection()
    quoted = connection.dialect.identifier_preparer.quote
    statement = f"COPY {quoted(name)} ({', '.join(map(quoted, columns))}) FROM STDIN"
    driver: Any = connection.connection.driver_connection
    errors: Any = connection.dialect.loaded_dbapi.Error
    try:
        with driver.cursor() as cursor, cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except errors as error:
        raise DBAPIError.instance(statement, None, error, errors, dialect=connection.dialect) from error


def _kind_of(it: Column[Any]) -> ColumnKind:
    for sort, kind in (
        (Instant, ColumnKind.INSTANT),
        (Boolean, ColumnKind.BOOLEAN),
        (Integer, ColumnKind.INTEGER),
        (LargeBinary, ColumnKind.BYTES),
        (String, ColumnKind.TEXT),
    ):
        if isinstance(it.type, sort):
            return kind
    raise InvariantViolation(f"backups do not know the type of {it}")


def _is_partition(name: str) -> bool:
    return name.startswith(f"{_PARTITIONED}_")
