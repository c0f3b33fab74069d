"""Figures: what a test measured is printed at the end of the run, and goes into docs/proof.md from there."""

from collections.abc import Callable

import pytest

_PROPERTY = "figure"


@pytest.fixture
def figures(request: pytest.FixtureRequest) -> Callable[[str], None]:
    """Return what takes one line about this test. It travels in the test's report, so any process may run the test."""
    return lambda line: request.node.user_properties.append((_PROPERTY, line))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    reports = [*terminalreporter.getreports("passed"), *terminalreporter.getreports("failed")]
    lines = [
        f"{report.nodeid.rpartition('::')[2]}: {line}"
        for report in reports
        for name, line in getattr(report, "user_properties", ())
        if name == _PROPERTY and report.when == "call"
    ]
    if lines:
        terminalreporter.section("figures")
        for line in lines:
            terminalreporter.line(line)
