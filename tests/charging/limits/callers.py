"""Callers with limits, and limiters that count in this process."""

from typing import Any

from app.accounts.account import Principal, Scope
from app.accounts.rate_limits import UNLIMITED, RateLimits
from app.charging.limits.counters import Counters
from app.charging.limits.limiter import Limiter
from app.charging.limits.local_counters import LocalCounters
from app.charging.limits.model_limits import ModelLimits
from app.clock import Clock
from app.database import Database


def caller(
    key: str = "key_1",
    *,
    live: bool = True,
    account: str = "acct_1",
    account_limits: RateLimits = UNLIMITED,
    **limits: Any,
) -> Principal:
    """A caller whose key has those limits."""
    of_key = RateLimits(**limits) if limits else UNLIMITED
    return Principal(account, key, live, frozenset({Scope.PREDICT}), limits=of_key, account_limits=account_limits)


def limiter_of(database: Database, clock: Clock, counters: Counters | None = None) -> Limiter:
    """A limiter that counts in this process, or where it is told to."""
    return Limiter(ModelLimits(database), counters or LocalCounters(), clock)
