"""Operators sign in by e-mail and password; guessing is slow, and costs the rest of the server next to nothing.

A limit locks out everybody whom it counts, the right password included: otherwise it would not slow the guesses down
that matter. So it is short: fifteen seconds. An operator's key with the scope `admin` is never locked out.
"""

import threading

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.accounts.account import User
from app.accounts.authentication import Unauthenticated
from app.accounts.service import Accounts
from app.errors import AppError, Kind

_WINDOW_S = 15
_FAILURES_PER_ADDRESS_MAX = 5
_FAILURES_MAX = 30
_CHECKS_AT_ONCE_MAX = 2


class TooManyAttempts(AppError):
    """Too many wrong passwords within a quarter of a minute, or too many sign-ins at this very moment."""

    kind = Kind.RATE_LIMITED
    code = "too_many_attempts"


class SignIn:
    """Checks credentials: two at once, until five failures of an address, or thirty of all, within fifteen seconds.

    A hash takes a tenth of a second and 64 MiB on purpose. What finds both places taken is refused at once, and never
    waits in a thread that other requests need; what is checked at once may exceed a limit by one.
    """

    def __init__(self, accounts: Accounts) -> None:
        self._accounts = accounts
        self._failures = FixedWindowRateLimiter(MemoryStorage())
        self._limit_of_address = RateLimitItemPerSecond(_FAILURES_PER_ADDRESS_MAX, _WINDOW_S, namespace="address")
        self._limit_of_all = RateLimitItemPerSecond(_FAILURES_MAX, _WINDOW_S, namespace="all")
        self._places = threading.BoundedSemaphore(_CHECKS_AT_ONCE_MAX)

    def operator(self, email: str, password: str) -> User:
        """Return the operator. Raises Unauthenticated without saying which half was wrong, TooManyAttempts."""
        if not self._places.acquire(blocking=False):
            raise TooManyAttempts("too many sign-ins at once", hint="try again", retry_after_s=1)
        try:
            return self._operator(email.strip().lower(), password)
        finally:
            self._places.release()

    def _operator(self, address: str, password: str) -> User:
        if not (self._failures.test(self._limit_of_address, address) and self._failures.test(self._limit_of_all)):
            raise TooManyAttempts(
                "too many wrong passwords", hint="wait, or use a key with the scope admin", retry_after_s=_WINDOW_S
            )
        user = self._accounts.operator_with(address, password)
        if user is None:
            self._failures.hit(self._limit_of_address, address)
            self._failures.hit(self._limit_of_all)
            raise Unauthenticated("no operator has these credentials", hint="faremeter user create --operator")
        return user
