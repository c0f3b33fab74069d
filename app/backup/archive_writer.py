"""Writes an archive: a ZIP file of one JSON-lines file a table, and the manifest."""

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any, BinaryIO, Self
from zipfile import ZIP_DEFLATED, ZipFile

import msgspec

from app.backup.manifest import ArchivedColumn, ArchivedTable, Manifest, write_manifest

MANIFEST_ENTRY = "manifest.json"
_FAST = 1  # rows of ids and counts shrink tenfold; more effort costs three times the time for another tenth


class ArchiveWriter:
    """Takes pages of rows, table by table; holds one page in memory."""

    def __init__(self, file: BinaryIO) -> None:
        self._zip = ZipFile(file, "w", ZIP_DEFLATED, allowZip64=True, compresslevel=_FAST)
        self._encoder = msgspec.json.Encoder()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._zip.close()

    def add_table(
        self, name: str, columns: tuple[ArchivedColumn, ...], pages: Iterable[Sequence[Sequence[Any]]]
    ) -> ArchivedTable:
        """Write a table's rows, and return what the manifest says of it."""
        digest, rows = hashlib.sha256(), 0
        with self._zip.open(ArchivedTable(name, columns, 0, "").entry, "w", force_zip64=True) as entry:
            for page in pages:
                lines = self._encoder.encode_lines(page)
                digest.update(lines)
                entry.write(lines)
                rows += len(page)
        return ArchivedTable(name, columns, rows, digest.hexdigest())

    def finish(self, manifest: Manifest) -> None:
        """Write the manifest: without it the file is no archive."""
        self._zip.writestr(MANIFEST_ENTRY, write_manifest(manifest))
