"""The use cases of backups: take one while everything runs, and make an empty database from one."""

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from app import __version__, schema
from app.audit_log.actor import INSTALLATION, Actor
from app.audit_log.store import record
from app.backup import store
from app.backup.archive_reader import ArchiveReader, opened_archive
from app.backup.archive_writer import ArchiveWriter
from app.backup.manifest import FORMAT, KIND, ArchivedTable, ArchiveInvalid, ArchiveTooNew, Manifest
from app.backup.new_file import new_file
from app.clock import Clock
from app.database import ConstraintViolated, Database, Session
from app.errors import Conflict
from app.metering.store import ensure_partitions
from app.metering.tables import UsageEventRow
from app.period import Month


class DatabaseNotEmpty(Conflict):
    """A restore fills an empty database; it never replaces or mixes."""

    code = "database_not_empty"


class Backups:
    """The whole database as a file."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock

    def take(self, path: Path) -> Manifest:
        """Write one state of the whole database to a new file, while others go on reading and writing.

        Raises BackupFileUnusable, SchemaOutdated, DatabaseUnavailable; then there is no file.
        """
        schema.require_head(self._database)
        with new_file(path) as file, ArchiveWriter(file) as writer, self._database.reading() as session:
            taken_at = self._clock.now()
            revision = store.revision(session)  # the first statement: from here on the session sees one state
            tables = [
                writer.add_table(name, columns, store.read_pages(session, name, columns))
                for name, columns in store.kept_tables()
            ]
            manifest = Manifest(
                kind=KIND,
                format=FORMAT,
                program=__version__,
                revision=revision,
                database=self._database.dialect,
                taken_at=taken_at,
                tables=tuple(tables),
            )
            writer.finish(manifest)
        return manifest

    def restore(self, path: Path, *, by: Actor = INSTALLATION) -> Manifest:
        """Fill the empty database from a file, whose every byte is checked first, and bring it to this version.

        All rows come in one transaction, at the schema that they were taken from; migrations follow. After a crash
        in between, the same restore or `faremeter db upgrade` goes on. Raises ArchiveInvalid, ArchiveTooNew,
        BackupFileUnusable, DatabaseNotEmpty, DatabaseUnavailable.
        """
        with opened_archive(path) as archive:
            manifest = archive.manifest
            _require_known(manifest, path)
            archive.verify()
            self._require_room(manifest)
            schema.upgrade(self._database, manifest.revision)
            try:
                with self._database.transaction() as session:
                    _fill(session, archive, path)
            except ConstraintViolated as error:
                raise ArchiveInvalid(f"the rows of this backup contradict each other: {error.__cause__}") from error
        schema.upgrade(self._database)
        self._record(manifest, by)
        return manifest

    def _require_room(self, manifest: Manifest) -> None:
        """Raise DatabaseNotEmpty unless there are no tables, or those of the archive's schema without a row."""
        standing = schema.current(self._database)
        with self._database.reading() as session:
            occupied = store.table_with_rows(session)
        if occupied is None and standing in {"", manifest.revision}:
            return
        raise DatabaseNotEmpty(
            f"the database has rows, such as in {occupied}" if occupied else f"it has tables of schema {standing}",
            where="database",
            hint="restore into a new, empty database",
        )

    def _record(self, manifest: Manifest, by: Actor) -> None:
        with self._database.transaction() as session:
            record(
                session,
                by=by,
                at=self._clock.now(),
                action="database.restored",
                target="database",
                taken_at=manifest.taken_at.isoformat(),
                rows=str(manifest.rows),
            )


def _require_known(manifest: Manifest, path: Path) -> None:
    if not schema.knows(manifest.revision):
        raise ArchiveTooNew(
            f"Faremeter {manifest.program} made this backup; this is {__version__}, which does not know its schema"
            f" {manifest.revision}",
            where=str(path),
            hint="restore it with that version",
        )


def _fill(session: Session, archive: ArchiveReader, path: Path) -> None:
    """Insert every row of the archive: what was empty a moment ago has to be so still."""
    store.lock_tables(session)
    if store.table_with_rows(session):
        raise DatabaseNotEmpty("somebody else has begun to use the database", where="database")
    tables = archive.manifest.tables
    if {each.name: {it.name for it in each.columns} for each in tables} != store.columns_by_table(session):
        raise ArchiveInvalid("the tables of this backup are not those of its schema", where=str(path))
    partitioned: set[Month] = set()
    for each in tables:
        for rows in archive.pages(each):
            _make_partitions(session, each, rows, partitioned)
            store.insert_page(session, each, rows)


def _make_partitions(session: Session, target: ArchivedTable, rows: Sequence[Sequence[Any]], made: set[Month]) -> None:
    """Make the monthly partitions that events of these rows belong to."""
    if target.name != UsageEventRow.__tablename__:
        return
    place = [it.name for it in target.columns].index("occurred_at")
    instants: set[datetime] = {row[place] for row in rows}
    for month in sorted({(it.year, it.month) for it in instants}):
        if Month(*month) not in made:
            ensure_partitions(session, Month(*month), 1)
            made.add(Month(*month))
