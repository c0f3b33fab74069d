"""Whether Redis answers: one warning when it stops, one line when it is back, and a try a second in between."""

import asyncio

from app.charging.metrics import limits_without_redis
from app.telemetry import get_logger

_RETRY_S = 1.0
_log = get_logger(__name__)


class RedisOutage:
    """Keeps callers from waiting for a Redis that does not answer: one in a second finds out whether it does again."""

    def __init__(self) -> None:
        self._retry_at_s: float | None = None

    def may_ask(self) -> bool:
        """Tell whether Redis is to be asked: it answered last time, or it is time to try again."""
        if self._retry_at_s is None:
            return True
        now_s = asyncio.get_running_loop().time()
        if now_s < self._retry_at_s:
            return False
        self._retry_at_s = now_s + _RETRY_S  # those who come now do not wait for this try as well
        return True

    def failed(self, error: BaseException) -> None:
        """Note that Redis did not answer."""
        if self._retry_at_s is None:
            limits_without_redis.set(1)
            _log.warning("Redis does not answer: each process keeps to its share of the limits", cause=repr(error))
        self._retry_at_s = asyncio.get_running_loop().time() + _RETRY_S

    def answered(self) -> None:
        """Note that Redis answered."""
        if self._retry_at_s is not None:
            self._retry_at_s = None
            limits_without_redis.set(0)
            _log.warning("Redis answers again: the limits are shared")
