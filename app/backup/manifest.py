"""The manifest of an archive: what is in it, of which schema, and the digests by which it is checked."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from types import GenericAlias
from typing import Annotated, Any

import msgspec

from app.errors import AppError, Invalid, Kind

KIND = "faremeter backup"
FORMAT = 1


class ArchiveInvalid(Invalid):
    """The file is no complete, untouched archive of Faremeter."""

    code = "archive_invalid"


class ArchiveTooNew(Invalid):
    """A later version of Faremeter made the archive."""

    code = "archive_too_new"


class BackupFileUnusable(AppError):
    """The file of a backup cannot be written or read, or one of that name is there already."""

    kind = Kind.CONFLICT
    code = "backup_file_unusable"


class ColumnKind(StrEnum):
    """How a value stands in a row: JSON's own text, integer (64 bits) and boolean, base64 bytes, RFC 3339 instants."""

    TEXT = "text"
    INTEGER = "integer"
    BOOLEAN = "boolean"
    BYTES = "bytes"
    INSTANT = "instant"


_PYTHON_TYPES: dict[ColumnKind, Any] = {
    ColumnKind.TEXT: str,
    ColumnKind.INTEGER: int,
    ColumnKind.BOOLEAN: bool,
    ColumnKind.BYTES: bytes,
    ColumnKind.INSTANT: Annotated[datetime, msgspec.Meta(tz=True)],
}


@dataclass(frozen=True, slots=True)
class ArchivedColumn:
    """A column of a table; whether it may be null is the schema's business."""

    name: str
    kind: ColumnKind


@dataclass(frozen=True, slots=True)
class ArchivedTable:
    """A table as it stands in the archive: `rows` lines, which have the digest `sha256` (in hex)."""

    name: str
    columns: tuple[ArchivedColumn, ...]
    rows: int
    sha256: str

    @property
    def entry(self) -> str:
        """The name of its rows in the archive."""
        return f"tables/{self.name}.jsonl"

    @property
    def row_type(self) -> Any:
        """What a line is decoded into: a tuple of values, each of its column's type or None."""
        return GenericAlias(tuple, tuple(_PYTHON_TYPES[column.kind] | None for column in self.columns))


@dataclass(frozen=True, slots=True, kw_only=True)
class Manifest:
    """`revision` is that of the schema, `tables` stand in an order in which each one follows those it refers to."""

    kind: str
    format: int
    program: str
    revision: str
    database: str
    taken_at: datetime
    tables: tuple[ArchivedTable, ...]

    @property
    def rows(self) -> int:
        """How many rows there are in all tables."""
        return sum(table.rows for table in self.tables)


def write_manifest(manifest: Manifest) -> bytes:
    """Return the manifest as JSON that people can read, too."""
    return msgspec.json.format(msgspec.json.encode(manifest), indent=2)


def read_manifest(text: bytes, *, where: str) -> Manifest:
    """Return the manifest. Raises ArchiveInvalid, and ArchiveTooNew for a format that is not known yet."""
    try:
        head = msgspec.json.decode(text, type=dict[str, Any])
    except (msgspec.MsgspecError, UnicodeDecodeError):
        head = {}
    if head.get("kind") != KIND:
        raise ArchiveInvalid("this is no backup of Faremeter", where=where)
    if head.get("format") != FORMAT:
        raise ArchiveTooNew(
            f"Faremeter {head.get('program')} made this backup in a format that this version does not know",
            where=where,
            hint="restore it with that version",
        )
    try:
        return msgspec.convert(head, Manifest)
    except msgspec.MsgspecError as error:
        raise ArchiveInvalid(f"the manifest of this backup is damaged: {error}", where=where) from None
