import pytest

from app.telemetry import configure_logging


@pytest.fixture(autouse=True)
def logging_as_the_command_line_configures_it() -> None:
    """Log to stderr, as every command does before it runs: stdout is for its answer."""
    configure_logging("info")
