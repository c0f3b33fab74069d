"""Asking Redis for the calls that wait, all in one message: while it answers, the next ones gather.

A caller that leaves does not take the question back: Redis counts it all the same, and what it counted is returned.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Sequence

from redis.asyncio import Redis
from redis.exceptions import RedisError

from app.charging.limits.redis_scripts import TAKE
from app.charging.limits.taken import Taken

_AT_ONCE_MAX = 256
Arguments = Sequence[str | int]
Question = tuple[Taken, "asyncio.Future[list[int]]"]


class RedisAsking:
    """One question at a time is on its way; it waits for `wait_s` at most, and those behind it as long again."""

    def __init__(
        self,
        client: Redis,
        arguments_of: Callable[[Taken], Arguments],
        orphan: Callable[[Taken, list[int] | None], None],
        *,
        wait_s: float,
    ) -> None:
        """`arguments_of` a call are its keys' number, its keys and what the script needs; `orphan` gets what a caller
        that has left did not wait for, or None where nobody knows whether Redis has counted it.
        """
        self._client = client
        self._arguments_of = arguments_of
        self._orphan = orphan
        self._wait_s = wait_s
        self._waiting: deque[Question] = deque()
        self._news = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    async def ask(self, mine: Taken) -> list[int]:
        """Return what the script says. Raises RedisError, OSError, TimeoutError."""
        answer: asyncio.Future[list[int]] = asyncio.get_running_loop().create_future()
        self._waiting.append((mine, answer))
        self._news.set()
        try:
            return await answer
        except asyncio.CancelledError:
            if not answer.cancelled():  # the answer was there already, and the caller left before it could read it
                self._orphan(mine, None if answer.exception() else answer.result())
            raise

    def start(self) -> None:
        """Begin to ask."""
        self._task = asyncio.create_task(self._work())

    async def stop(self) -> None:
        """Ask no more."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)
        while self._waiting:
            _tell(self._waiting.popleft()[1], ConnectionError("the process ends"))

    async def _work(self) -> None:
        while True:
            await self._news.wait()
            self._news.clear()
            while self._waiting:
                batch = [self._waiting.popleft() for _ in range(min(_AT_ONCE_MAX, len(self._waiting)))]
                await self._answer(batch)

    async def _answer(self, batch: Sequence[Question]) -> None:
        try:
            async with asyncio.timeout(self._wait_s):
                replies = await self._send([mine for mine, _ in batch])
        except Exception as error:  # noqa: BLE001 - whatever it is, callers wait for it, and the next ones behind them
            replies = [error] * len(batch)
        except BaseException:
            self._deliver(batch, [ConnectionError("the process ends")] * len(batch))
            raise
        self._deliver(batch, replies)

    def _deliver(self, batch: Sequence[Question], replies: Sequence[list[int] | Exception]) -> None:
        for (mine, answer), reply in zip(batch, replies, strict=True):
            if answer.done():
                self._orphan(mine, None if isinstance(reply, Exception) else reply)
            elif isinstance(reply, Exception):
                _tell(answer, reply)
            else:
                answer.set_result(reply)

    async def _send(self, calls: Sequence[Taken]) -> list[list[int] | Exception]:
        async with self._client.pipeline(transaction=False) as pipe:
            for mine in calls:
                pipe.eval(TAKE, *self._arguments_of(mine))  # type: ignore[arg-type]
            replies: list[list[int] | Exception] = await pipe.execute(raise_on_error=False)
            return replies


def _tell(answer: "asyncio.Future[list[int]]", error: Exception) -> None:
    """Let the caller know, if it is still there; what is no error of Redis comes from a bug, and is one to it."""
    if not answer.done():
        known = isinstance(error, (RedisError, OSError, TimeoutError))
        answer.set_exception(error if known else RedisError(repr(error)))
