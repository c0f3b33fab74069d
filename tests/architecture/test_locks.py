"""The locks pin everything, by hash, from wherever the reader's installer is set to look."""

import re
import tomllib

import pytest

from tests.architecture.source_tree import ROOT

LOCKS = ("requirements.lock", "requirements-dev.lock")
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


def test_every_declared_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    runtime = {re.split(r"[\[><=]", item)[0] for item in project["dependencies"]}
    tools = {re.split(r"[\[><=]", item)[0] for item in project["optional-dependencies"]["dev"]}
    assert runtime <= {name for name, _ in pins_of("requirements.lock")}
    assert tools <= {name for name, _ in pins_of("requirements-dev.lock")}
