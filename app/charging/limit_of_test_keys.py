"""Test keys run the real models and are never invoiced: a low rate keeps them from being a free production."""

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from app.errors import AppError, Kind

TEST_UNITS_PER_MINUTE_MAX = 120


class RateLimited(AppError):
    """The limit is reached; the call was refused and consumed nothing."""

    kind = Kind.RATE_LIMITED
    code = "rate_limited"


class LimitOfTestKeys:
    """Counts units of each test key in a moving minute, per process."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())
        self._limit = RateLimitItemPerMinute(TEST_UNITS_PER_MINUTE_MAX)

    def take(self, key_id: str, units: int) -> None:
        """Count a call's units. Raises RateLimited where they would exceed the limit."""
        if units <= TEST_UNITS_PER_MINUTE_MAX and self._limiter.hit(self._limit, key_id, cost=units):
            return
        reset_s = max(1, round(self._limiter.get_window_stats(self._limit, key_id).reset_time - time.time()))
        raise RateLimited(
            f"a test key may use {TEST_UNITS_PER_MINUTE_MAX} units a minute; this call asks for {units}",
            hint="wait, send fewer inputs, or use a live key",
            retry_after_s=reset_s,
            limit="test_key_units_per_minute",
            limit_size=TEST_UNITS_PER_MINUTE_MAX,
            reset_s=reset_s,
        )
