"""What pages load is built from the lock alone, the same each time, with its licences."""

from pathlib import Path

import pytest

from frontend import build
from frontend.icon_names import BuildError


def contents(folder: Path) -> dict[str, bytes]:
    return {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}


def test_two_builds_are_the_same_and_hold_what_pages_load(tmp_path: Path) -> None:
    build.build(tmp_path / "vendor")
    first = contents(tmp_path / "vendor")
    build.build(tmp_path / "vendor")
    assert contents(tmp_path / "vendor") == first
    assert {"tabler.min.css", "htmx.min.js", "chart.umd.min.js", "icons.svg"} == {
        name for name in first if "/" not in name
    }


def test_every_licence_lies_beside_and_asks_to_be_kept(tmp_path: Path) -> None:
    build.build(tmp_path / "vendor")
    licences = contents(tmp_path / "vendor" / "licences")
    assert {f"{name}.txt" for name in build.LICENCES} == set(licences)
    assert [name for name, text in licences.items() if b"ermission" not in text] == []


def test_no_file_asks_for_another_one(tmp_path: Path) -> None:
    build.build(tmp_path / "vendor")
    for name, content in contents(tmp_path / "vendor").items():
        assert b"sourceMappingURL" not in content, name
    style = (tmp_path / "vendor" / "tabler.min.css").read_text()
    assert "@import" not in style
    assert style.count("url(") == style.count('url("data:')


def test_a_file_that_is_missing_ends_the_build_and_leaves_the_last_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    build.build(tmp_path / "vendor")
    monkeypatch.setattr(build, "FILES", ("htmx.org/dist/gone.js",))
    with pytest.raises(BuildError, match=r"gone\.js is not there"):
        build.build(tmp_path / "vendor")
    assert (tmp_path / "vendor" / "htmx.min.js").exists()
