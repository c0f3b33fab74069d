"""Figures: what a scenario measured is printed at the end of the run, and goes into docs/proof.md from there."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from app.bootstrap import Books
from tests.scenarios.server_process import books_on

_FIGURES: list[str] = []


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return what takes one line about this test."""
    return lambda line: _FIGURES.append(f"{request.node.name}: {line}")


@pytest.fixture(params=["sqlite_url", "postgres_url"])
def database_url(request: pytest.FixtureRequest) -> str:
    """The URL of a migrated, empty database: the scenario runs once on each kind."""
    return str(request.getfixturevalue(request.param))


@pytest.fixture
def books(database_url: str, tmp_path: Path) -> Iterator[Books]:
    """The books that the scenario's server keeps, seen from outside."""
    books = books_on(database_url, tmp_path)
    yield books
    books.database.dispose()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    if _FIGURES:
        terminalreporter.section("figures")
        for line in _FIGURES:
            terminalreporter.line(line)
