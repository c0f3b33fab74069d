"""The locks pin everything, by hash, from wherever the reader's installer is set to look."""

import json
import re
import tomllib
from typing import Any

import pytest

from tests.architecture.source_tree import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock", "requirements-assets.lock")
_PIN = re.compile(r"(?P<name>[a-z0-9-]+)==(?P<version>\S+)(?P<marker> ; .*)? \\")
_HASH = re.compile(r"    --hash=sha256:[0-9a-f]{64}( \\)?")


def lines_of(lock: str) -> list[str]:
    return (ROOT / lock).read_text().splitlines()


def pins_of(lock: str) -> set[tuple[str, str]]:
    return {(match["name"], match["version"]) for line in lines_of(lock) if (match := _PIN.fullmatch(line))}


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_holds_pins_and_hashes_and_no_address(lock: str) -> None:
    assert [line for line in lines_of(lock) if not _PIN.fullmatch(line) and not _HASH.fullmatch(line)] == []


def test_the_locks_agree() -> None:
    assert pins_of("requirements.lock") <= pins_of("requirements-dev.lock")


def test_the_build_of_the_pages_uses_the_versions_that_serve_them() -> None:
    shared = {name for name, _ in pins_of("requirements-assets.lock")} & {name for name, _ in pins_of(LOCKS[0])}
    assert {pin for pin in pins_of("requirements-assets.lock") if pin[0] in shared} <= pins_of(LOCKS[0])
    assert "jinja2" in shared


def test_every_declared_dependency_is_locked() -> None:
    declared = tomllib.loads((ROOT / "pyproject.toml").read_text())
    project, groups = declared["project"], declared["dependency-groups"]
    runtime = {re.split(r"[\[><=]", item)[0] for item in project["dependencies"]}
    tools = {re.split(r"[\[><=]", item)[0] for item in project["optional-dependencies"]["dev"]}
    assets = {re.split(r"[\[><=]", item)[0] for item in groups["assets"]}
    assert runtime <= {name for name, _ in pins_of("requirements.lock")}
    assert tools <= {name for name, _ in pins_of("requirements-dev.lock")}
    assert assets <= {name for name, _ in pins_of("requirements-assets.lock")}


def npm_lock() -> dict[str, dict[str, Any]]:
    packages: dict[str, dict[str, Any]] = json.loads((ROOT / "frontend" / "package-lock.json").read_text())["packages"]
    return packages


def test_the_lock_of_npm_holds_pins_and_hashes_and_no_address() -> None:
    packages = {name: package for name, package in npm_lock().items() if name}
    assert [name for name, package in packages.items() if not package["integrity"].startswith("sha512-")] == []
    assert [name for name, package in packages.items() if "resolved" in package] == []


def test_every_package_of_the_pages_is_locked_at_the_version_that_is_declared() -> None:
    declared = json.loads((ROOT / "frontend" / "package.json").read_text())
    wanted = declared["dependencies"] | declared["devDependencies"]
    locked = npm_lock()
    assert {name: locked[f"node_modules/{name}"]["version"] for name in wanted} == wanted
