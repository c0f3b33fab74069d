"""What ended calls give back to Redis, in the background: no call waits for it."""

import asyncio
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.charging.limits.redis_scripts import GIVE_BACK
from app.telemetry import get_logger

_WAITING_MAX = 100_000
_AT_ONCE_MAX = 500
_PATIENCE_S = 1.0
_RETRY_S = 1.0
_log = get_logger(__name__)


@dataclass(frozen=True, slots=True)
class FreeSlot:
    """A slot to be freed: may be done twice."""

    key: str
    token: str


@dataclass(frozen=True, slots=True)
class ReturnRate:
    """A cost to be taken off a count: done once at most, so that a minute never admits more than its limit."""

    key: str
    cost: int


class RedisReturns:
    """Frees slots until Redis has heard of it, or their leases have run out on their own."""

    def __init__(self, client: "Redis") -> None:
        self._client = client
        self._waiting: deque[FreeSlot | ReturnRate] = deque(maxlen=_WAITING_MAX)  # the oldest are the first to lapse
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    def add(self, *returns: FreeSlot | ReturnRate) -> None:
        """Give back soon."""
        self._waiting.extend(returns)
        self._news.set()

    def start(self) -> None:
        """Begin to give back."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Give back what is left, if Redis answers."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        while self._waiting and await self._give_back():
            pass

    async def _work(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                if not await self._give_back():
                    await asyncio.sleep(_RETRY_S)

    async def _give_back(self) -> bool:
        """Give back the oldest; return whether Redis answered."""
        batch = [self._waiting.popleft() for _ in range(min(_AT_ONCE_MAX, len(self._waiting)))]
        try:
            async with asyncio.timeout(_PATIENCE_S):
                await self._send(batch)
        except (RedisError, OSError, TimeoutError):
            self._waiting.extendleft(reversed(list(_repeatable(batch))))
            return False
        except Exception:  # noqa: BLE001 - not even a bug may end it: slots would be held until their leases end
            _log.exception("giving back limits met a bug")
        except BaseException:
            self._waiting.extendleft(reversed(list(_repeatable(batch))))
            raise
        return True

    async def _send(self, batch: list[FreeSlot | ReturnRate]) -> None:
        async with self._client.pipeline(transaction=False) as pipe:
            for each in batch:
                _put(pipe, each)
            await pipe.execute()


def _put(pipe: Any, each: FreeSlot | ReturnRate) -> None:
    if isinstance(each, FreeSlot):
        pipe.zrem(each.key, each.token)
    else:
        pipe.eval(GIVE_BACK, 1, each.key, each.cost)


def _repeatable(batch: list[FreeSlot | ReturnRate]) -> Iterator[FreeSlot]:
    return (each for each in batch if isinstance(each, FreeSlot))
