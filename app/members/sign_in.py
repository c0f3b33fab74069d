"""People sign in by e-mail and password; guessing is slow, and costs the rest of the server next to nothing.

A limit locks out everybody whom it counts, the right password included: otherwise it would not slow the guesses down
that matter. So it is short: fifteen seconds. An operator's key with the scope `admin` is never locked out.
"""

import threading

from limits import RateLimitItem, RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.accounts import user_store
from app.accounts.account import User
from app.accounts.authentication import Unauthenticated
from app.accounts.email_address import folded_email
from app.accounts.password import password_matches
from app.database import Database
from app.members.throttle import TooManyAttempts

_WINDOW_S = 15
_FAILURES_PER_EMAIL_MAX = 5
_FAILURES_PER_CLIENT_MAX = 10
_FAILURES_MAX = 30
_CHECKS_AT_ONCE_MAX = 2
_PER_EMAIL = RateLimitItemPerSecond(_FAILURES_PER_EMAIL_MAX, _WINDOW_S, namespace="email")
_PER_CLIENT = RateLimitItemPerSecond(_FAILURES_PER_CLIENT_MAX, _WINDOW_S, namespace="client")
_OF_ALL = RateLimitItemPerSecond(_FAILURES_MAX, _WINDOW_S, namespace="all")


class WrongCredentials(Unauthenticated):
    """Address and password do not belong together; which of them is wrong is not said."""

    code = "wrong_credentials"


class SignIn:
    """Checks credentials: two at once, until too many failed within fifteen seconds.

    Failures are counted by e-mail address (five), by the client's network address (ten) and all together (thirty). A
    hash takes a tenth of a second and 64 MiB on purpose. What finds both places taken is refused at once, and never
    waits in a thread that other requests need; what is checked at once may exceed a limit by one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._failures = FixedWindowRateLimiter(MemoryStorage())
        self._places = threading.BoundedSemaphore(_CHECKS_AT_ONCE_MAX)

    def user(self, email: str, password: str, *, address: str | None = None) -> User:
        """Return the user. Raises WrongCredentials without saying which half was wrong, TooManyAttempts."""
        return self._checked(email, password, address, operators_only=False)

    def operator(self, email: str, password: str, *, address: str | None = None) -> User:
        """Return the operator. Raises WrongCredentials without saying what was wrong, TooManyAttempts."""
        return self._checked(email, password, address, operators_only=True)

    def _checked(self, email: str, password: str, client: str | None, *, operators_only: bool) -> User:
        if not self._places.acquire(blocking=False):
            raise TooManyAttempts("too many sign-ins at once", hint="try again", retry_after_s=1)
        try:
            limits = self._limits(email.strip().lower(), client)
            self._require_attempts(limits)
            user = self._find(email, password)
            if user is None or (operators_only and not user.operator):
                self._count_failure(limits)
                raise _refusal(operators_only=operators_only)
            return user
        finally:
            self._places.release()

    def _find(self, email: str, password: str) -> User | None:
        """Return the user with these credentials, or None; takes as long for an unknown address."""
        folded = folded_email(email)
        with self._database.reading() as session:
            found = user_store.find_user(session, folded) if folded else None
        matches = password_matches(password, found[1] if found else None)
        return found[0] if found and matches else None

    def _limits(self, email: str, client: str | None) -> list[tuple[RateLimitItem, str]]:
        by_client = [(_PER_CLIENT, client)] if client is not None else []
        return [(_PER_EMAIL, email), *by_client, (_OF_ALL, "")]

    def _require_attempts(self, limits: list[tuple[RateLimitItem, str]]) -> None:
        if not all(self._failures.test(limit, name) for limit, name in limits):
            raise TooManyAttempts("too many wrong passwords", hint="wait a moment", retry_after_s=_WINDOW_S)

    def _count_failure(self, limits: list[tuple[RateLimitItem, str]]) -> None:
        for limit, name in limits:
            self._failures.hit(limit, name)


def _refusal(*, operators_only: bool) -> WrongCredentials:
    if operators_only:
        return WrongCredentials("no operator has these credentials", hint="faremeter user create --operator")
    return WrongCredentials("no user has this e-mail address and password", hint="check both, or reset the password")
