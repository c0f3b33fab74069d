"""An installed wheel serves the pages: it holds their templates, catalogues, scripts and styles, the built ones too."""

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

from tests.architecture.source_tree import ROOT

PORTAL = ROOT / "app" / "portal"


def wheel_contents(folder: Path) -> set[str]:
    source = folder / "source"
    shutil.copytree(ROOT / "app", source / "app", ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copyfile(ROOT / name, source / name)
    command = [sys.executable, "-c", "from setuptools import build_meta; build_meta.build_wheel('..')"]
    subprocess.run(command, cwd=source, check=True, capture_output=True)
    (wheel,) = folder.glob("*.whl")
    return set(zipfile.ZipFile(wheel).namelist())


def test_a_wheel_holds_every_file_that_pages_are_made_of(tmp_path: Path) -> None:
    files = [file for folder in ("templates", "static", "locales") for file in (PORTAL / folder).rglob("*")]
    wanted = {str(file.relative_to(ROOT)) for file in files if file.is_file()}
    assert "app/portal/static/vendor/icons.svg" in wanted
    assert wanted <= wheel_contents(tmp_path)
