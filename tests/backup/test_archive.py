"""An archive that is not as it was written is refused in one line, and changes nothing."""

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from zipfile import ZIP_DEFLATED, ZipFile

import pytest
from sqlalchemy import inspect

from app.backup.manifest import ArchiveInvalid, ArchiveTooNew, BackupFileUnusable
from app.backup.service import Backups
from app.clock import FrozenClock
from app.database import Database
from tests.builders import NOON

Entries = dict[str, bytes]


def assert_refused(database: Database, path: Path, error: type[Exception] = ArchiveInvalid, match: str = ".") -> None:
    with pytest.raises(error, match=match) as refusal:
        Backups(database, FrozenClock(NOON)).restore(path)
    assert "\n" not in str(refusal.value)
    assert str(path) in str(refusal.value)
    with database.reading() as session:
        assert inspect(session.connection()).get_table_names() == []


def rewritten(archive: Path, folder: Path, change: Callable[[Entries], None]) -> Path:
    """Return a copy whose entries were changed by somebody who can write ZIP files."""
    with ZipFile(archive) as old:
        entries = {name: old.read(name) for name in old.namelist()}
    change(entries)
    copy = folder / "changed.zip"
    with ZipFile(copy, "w", ZIP_DEFLATED) as new:
        for name, content in entries.items():
            new.writestr(name, content)
    return copy


def test_a_truncated_archive_is_refused_wherever_it_was_cut(archive: Path, new_file: Database, tmp_path: Path) -> None:
    whole = archive.read_bytes()
    cut = tmp_path / "cut.zip"
    for length in (0, 1, 100, len(whole) // 2, len(whole) - 22, len(whole) - 1):
        cut.write_bytes(whole[:length])
        assert_refused(new_file, cut)


def test_an_archive_with_a_flipped_bit_is_refused_or_holds_the_same(
    archive: Path, new_file: Database, tmp_path: Path, n: Callable[[int, int], int]
) -> None:
    """A bit may lie where ZIP keeps what nobody reads, such as a date; whatever is read is checked."""
    whole, chance, refused = archive.read_bytes(), random.Random(7), 0
    damaged = tmp_path / "damaged.zip"
    for _ in range(n(40, 2_000)):
        content, place = bytearray(whole), chance.randrange(len(whole))
        content[place] ^= 1 << chance.randrange(8)
        damaged.write_bytes(content)
        try:
            manifest = Backups(new_file, FrozenClock(NOON)).restore(damaged)
        except ArchiveInvalid:
            refused += 1
        else:
            assert manifest.rows
            new_file.dispose()
            shutil.rmtree(tmp_path / "new")
            (tmp_path / "new").mkdir()
    assert refused >= n(25, 1_200)


@pytest.mark.parametrize("name", ["tables/usage_events.jsonl", "tables/claims.jsonl"])
def test_rows_that_were_changed_left_out_or_added_are_noticed(
    archive: Path, new_file: Database, tmp_path: Path, name: str
) -> None:
    changes: list[Callable[[bytes], bytes]] = [
        lambda lines: lines.replace(b"1", b"2", 1),
        lambda lines: lines[lines.index(b"\n") + 1 :],
        lambda lines: lines + lines[: lines.index(b"\n") + 1],
        lambda lines: lines[:-1],
        lambda lines: lines + b"[]\n",
        lambda lines: b"{}" + lines,
        lambda lines: b"\xff" + lines,
        lambda _: b"",
    ]
    for change in changes:
        changed = rewritten(archive, tmp_path, lambda entries, it=change: entries.update({name: it(entries[name])}))  # type: ignore[misc]
        assert_refused(new_file, changed, match="damaged")


def test_a_table_that_is_missing_or_too_many_is_noticed(archive: Path, new_file: Database, tmp_path: Path) -> None:
    missing = rewritten(archive, tmp_path, lambda entries: entries.__delitem__("tables/claims.jsonl"))
    assert_refused(new_file, missing, match="not those of its manifest")
    extra = rewritten(archive, tmp_path, lambda entries: entries.update({"tables/../../evil": b""}))
    assert_refused(new_file, extra, match="not those of its manifest")


def test_a_manifest_of_another_program_format_or_shape_is_refused(
    archive: Path, new_file: Database, tmp_path: Path
) -> None:
    def changed(**members: object) -> Path:
        def change(entries: Entries) -> None:
            manifest = json.loads(entries["manifest.json"]) | members
            entries["manifest.json"] = json.dumps(manifest).encode()

        return rewritten(archive, tmp_path, change)

    assert_refused(new_file, changed(kind="something else"), match="no backup of Faremeter")
    assert_refused(new_file, changed(format=2, program="9.9.9"), ArchiveTooNew, match=r"Faremeter 9\.9\.9 made this")
    assert_refused(new_file, changed(tables=[{"name": 1}]), match="damaged")
    assert_refused(new_file, changed(taken_at="yesterday"), match="damaged")


def test_what_is_no_archive_of_faremeter_is_refused(new_file: Database, tmp_path: Path) -> None:
    other = tmp_path / "other.zip"
    other.write_text("not a ZIP file at all")
    assert_refused(new_file, other)
    with ZipFile(other, "w") as archive:
        archive.writestr("readme.txt", "something else")
    assert_refused(new_file, other, match="no backup of Faremeter")
    with ZipFile(other, "w") as archive:
        archive.writestr("manifest.json", "[1, 2, 3]")
    assert_refused(new_file, other, match="no backup of Faremeter")
    assert_refused(new_file, tmp_path / "absent.zip", BackupFileUnusable, match="cannot be read")
    assert_refused(new_file, tmp_path, BackupFileUnusable, match="cannot be read")
