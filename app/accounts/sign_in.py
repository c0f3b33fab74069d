"""Operators sign in by e-mail and password; guessing is slowed down per address."""

import threading

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.accounts.account import User
from app.accounts.authentication import Unauthenticated
from app.accounts.service import Accounts
from app.errors import AppError, Kind

_FAILURES_PER_MINUTE_MAX = 10


class TooManyAttempts(AppError):
    """Too many wrong passwords for this address within a minute."""

    kind = Kind.RATE_LIMITED
    code = "too_many_attempts"


class SignIn:
    """Checks credentials; after ten failures for an address within a minute, nothing is checked until it is over."""

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._failures = FixedWindowRateLimiter(MemoryStorage())
        self._limit = RateLimitItemPerMinute(_FAILURES_PER_MINUTE_MAX)
        self._one_at_a_time = threading.Lock()  # else guesses made at once would all pass before the first has failed

    def operator(self, email: str, password: str) -> User:
        """Return the operator. Raises Unauthenticated without saying which half was wrong, TooManyAttempts."""
        address = email.strip().lower()
        with self._one_at_a_time:
            if not self._failures.test(self._limit, address):
                raise TooManyAttempts("too many wrong passwords", hint="wait a minute", retry_after_s=60)
            user = self._accounts.operator_with(address, password)
            if user is None:
                self._failures.hit(self._limit, address)
                raise Unauthenticated("no operator has these credentials", hint="faremeter user create --operator")
            return user
