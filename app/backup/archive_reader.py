"""Reads an archive, and believes nothing that it has not checked."""

import hashlib
import io
import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, BinaryIO
from zipfile import BadZipFile, ZipFile

import msgspec

from app.backup.archive_writer import MANIFEST_ENTRY
from app.backup.manifest import ArchivedTable, ArchiveInvalid, BackupFileUnusable, Manifest, read_manifest

_LINE_BYTES_MAX = 64 * 2**20  # no row is as long; a damaged archive shall not fill the memory
_MANIFEST_BYTES_MAX = 2**20
_PAGE_ROWS = 5_000
# What the ZIP format throws at a reader of damaged bytes: a broken structure, a method or password that we never use.
_DAMAGE = (BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, UnicodeError, msgspec.MsgspecError)


class ArchiveReader:
    """An open archive. Each method raises ArchiveInvalid for what is not as the manifest says."""

    def __init__(self, archive: ZipFile, path: Path) -> None:
        self._zip = archive
        self._where = str(path)
        with self._damage_told():
            self.manifest = self._read_manifest()

    def verify(self) -> None:
        """Read everything once: structure, digests, each value's type."""
        for table in self.manifest.tables:
            for _ in self.pages(table):
                pass

    def pages(self, table: ArchivedTable) -> Iterator[list[Sequence[Any]]]:
        """Yield the rows of a table in pages; the last one is followed by the verdict on all of them."""
        digest, rows = hashlib.sha256(), 0
        with self._damage_told():
            decoder = msgspec.json.Decoder(table.row_type)
            with self._zip.open(table.entry) as entry:
                stream: Any = entry
                buffered = io.BufferedReader(stream)  # it finds the ends of lines without Python
                while lines := _lines(buffered):
                    for line in lines:
                        digest.update(line)
                    rows += len(lines)
                    yield [decoder.decode(line) for line in lines]
            if rows != table.rows or digest.hexdigest() != table.sha256:
                raise BadZipFile(f"the rows of {table.name} are not those that were written")

    def _read_manifest(self) -> Manifest:
        names = self._zip.namelist()
        if MANIFEST_ENTRY not in names or self._zip.getinfo(MANIFEST_ENTRY).file_size > _MANIFEST_BYTES_MAX:
            raise ArchiveInvalid("this is no backup of Faremeter", where=self._where)
        manifest = read_manifest(self._zip.read(MANIFEST_ENTRY), where=self._where)
        if sorted(names) != sorted([MANIFEST_ENTRY, *(table.entry for table in manifest.tables)]):
            raise BadZipFile("the files in it are not those of its manifest")
        return manifest

    @contextmanager
    def _damage_told(self) -> Iterator[None]:
        try:
            yield
        except _DAMAGE as error:
            raise ArchiveInvalid(
                f"this backup is damaged: {error}", where=self._where, hint="use another copy of it"
            ) from error
        except OSError as error:
            raise _unreadable(error, self._where) from error


@contextmanager
def opened_archive(path: Path) -> Iterator[ArchiveReader]:
    """Yield the reader of an archive. Raises ArchiveInvalid, ArchiveTooNew, BackupFileUnusable."""
    try:
        file = path.open("rb")
    except OSError as error:
        raise _unreadable(error, str(path)) from error
    with file:
        try:
            archive = ZipFile(file)
        except BadZipFile:
            raise ArchiveInvalid(
                "this is no backup of Faremeter, or one that was cut off", where=str(path), hint="use another copy"
            ) from None
        yield ArchiveReader(archive, path)


def _lines(entry: BinaryIO) -> list[bytes]:
    """Return the next lines, each with its end."""
    lines: list[bytes] = []
    while len(lines) < _PAGE_ROWS and (line := entry.readline(_LINE_BYTES_MAX)):
        if not line.endswith(b"\n"):
            raise BadZipFile("a line has no end")
        lines.append(line)
    return lines


def _unreadable(error: OSError, where: str) -> BackupFileUnusable:
    return BackupFileUnusable(f"the file cannot be read: {error.strerror}", where=where)
