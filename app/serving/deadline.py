"""The deadline of a call: it bounds admission and the run. A record that has begun is never broken off by it."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.inference.engine import DeadlineExceeded


def deadline_in(seconds: int) -> int:
    """Return the instant so many seconds from now, on the clock of `time.perf_counter_ns`."""
    return time.perf_counter_ns() + seconds * 1_000_000_000


@asynccontextmanager
async def until(deadline_ns: int) -> AsyncIterator[None]:
    """Raise DeadlineExceeded where the block has not ended by then, on the clock of `time.perf_counter_ns`."""
    try:
        async with asyncio.timeout((deadline_ns - time.perf_counter_ns()) / 1e9):
            yield
    except TimeoutError:
        raise DeadlineExceeded(
            "the call took longer than its deadline; nothing was charged", hint="send fewer inputs, or try again later"
        ) from None
