from collections.abc import AsyncIterator, Iterator

import pytest
from structlog.testing import capture_logs

from app.clock import FrozenClock
from app.database import Database
from tests.charging.serving_process import ServingProcess, serving


@pytest.fixture(autouse=True)
def logs() -> Iterator[None]:
    """Keep the traceback of each refused row from being rendered: dozens of them would take most of the time."""
    with capture_logs():
        yield


@pytest.fixture
async def process(database: Database, clock: FrozenClock) -> AsyncIterator[ServingProcess]:
    async with serving(database, clock) as process:
        yield process


@pytest.fixture
async def other_process(database: Database, clock: FrozenClock) -> AsyncIterator[ServingProcess]:
    """A second process over the same database, with a lease of its own."""
    async with serving(database, clock) as process:
        yield process
