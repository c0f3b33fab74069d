from collections.abc import AsyncIterator

import pytest

from app.clock import FrozenClock
from app.database import Database
from tests.charging.serving_process import ServingProcess, serving


@pytest.fixture
async def process(database: Database, clock: FrozenClock) -> AsyncIterator[ServingProcess]:
    async with serving(database, clock) as process:
        yield process


@pytest.fixture
async def other_process(database: Database, clock: FrozenClock) -> AsyncIterator[ServingProcess]:
    """A second process over the same database, with a lease of its own."""
    async with serving(database, clock) as process:
        yield process
