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
from app.database import Database, Session
from app.members.membership import UserNotFound
from app.members.throttle import TooManyAttempts, client_of

_WINDOW_S = 15
_FAILURES_PER_EMAIL_MAX = 5
_FAILURES_PER_CLIENT_MAX = 10
_FAILURES_MAX = 30
_CHECKS_AT_ONCE_MAX = 2
_WAITING_MAX = 4
_PATIENCE_S = 1.0
_PER_EMAIL = RateLimitItemPerSecond(_FAILURES_PER_EMAIL_MAX, _WINDOW_S, namespace="email")
_PER_CLIENT = RateLimitItemPerSecond(_FAILURES_PER_CLIENT_MAX, _WINDOW_S, namespace="client")
_OF_ALL = RateLimitItemPerSecond(_FAILURES_MAX, _WINDOW_S, namespace="all")


class WrongCredentials(Unauthenticated):
    """Address and password do not belong together; which of them is wrong is not said."""

    code = "wrong_credentials"


class SignIn:
    """Checks credentials: two at once, until too many failed within fifteen seconds.

    Failures are counted by e-mail address (five), by the client's network address (ten; of IPv6 its network) and all
    together (thirty). A hash takes a tenth of a second and 64 MiB on purpose. What finds both places taken waits for a
    second, with three others at most: more would wait in threads that other requests need, and are refused at once.
    What is checked at once may exceed a limit by one.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._failures = FixedWindowRateLimiter(MemoryStorage())
        self._places = threading.BoundedSemaphore(_CHECKS_AT_ONCE_MAX)
        self._waiting = threading.BoundedSemaphore(_WAITING_MAX)

    def user(self, email: str, password: str, *, address: str | None = None) -> User:
        """Return the user. Raises WrongCredentials without saying which half was wrong, TooManyAttempts."""
        return self._checked(email, password, address, operators_only=False)

    def operator(self, email: str, password: str, *, address: str | None = None) -> User:
        """Return the operator. Raises WrongCredentials without saying what was wrong, TooManyAttempts."""
        return self._checked(email, password, address, operators_only=True)

    def again(self, user_id: str, password: str, *, address: str | None) -> User:
        """Return the user, who is signed in and gives the password once more.

        Raises WrongCredentials, TooManyAttempts, UserNotFound.
        """
        with self._database.reading() as session:
            user = user_store.find_user_by_id(session, user_id)
        if user is None:
            raise UserNotFound(f"there is no user {user_id}", where="user")
        checked = self.user(user.email, password, address=address)
        if checked.id != user_id:  # the address has become somebody else's at this very moment
            raise _refusal(operators_only=False)
        return checked

    def _checked(self, email: str, password: str, client: str | None, *, operators_only: bool) -> User:
        self._take_place()
        try:
            limits = self._limits(folded_email(email) or email, client)
            self._require_attempts(limits)
            user = self._find(email, password)
            if user is None or (operators_only and not user.operator):
                self._count_failure(limits)
                raise _refusal(operators_only=operators_only)
            return user
        finally:
            self._places.release()

    def _take_place(self) -> None:
        """Take one of the places, at once or within a second. Raises TooManyAttempts."""
        if self._places.acquire(blocking=False):
            return
        taken = False
        if self._waiting.acquire(blocking=False):
            try:
                taken = self._places.acquire(timeout=_PATIENCE_S)
            finally:
                self._waiting.release()
        if not taken:
            raise TooManyAttempts("too many sign-ins at once", hint="try again", retry_after_s=1)

    def _find(self, email: str, password: str) -> User | None:
        """Return the user with these credentials, or None; takes as long for an unknown address."""
        folded = folded_email(email)
        with self._database.reading() as session:
            found = user_store.find_user(session, folded) if folded else None
        matches = password_matches(password, found[1] if found else None)
        return found[0] if found and matches else None

    def _limits(self, email: str, client: str | None) -> list[tuple[RateLimitItem, str]]:
        by_client = [(_PER_CLIENT, client_of(client))] if client is not None else []
        return [(_PER_EMAIL, email), *by_client, (_OF_ALL, "")]

    def _require_attempts(self, limits: list[tuple[RateLimitItem, str]]) -> None:
        if not all(self._failures.test(limit, name) for limit, name in limits):
            raise TooManyAttempts("too many wrong passwords", hint="wait a moment", retry_after_s=_WINDOW_S)

    def _count_failure(self, limits: list[tuple[RateLimitItem, str]]) -> None:
        for limit, name in limits:
            self._failures.hit(limit, name)


def require_standing(session: Session, user: User) -> User:
    """Lock a user against other changes of the person, and return it as it is now.

    A hash is compared outside of any transaction, for a tenth of a second: where the password or the address has
    changed since, what was proved counts for nothing. Raises WrongCredentials.
    """
    current = user_store.lock_user(session, user.id)
    if current is None or current.credentials_version != user.credentials_version:
        raise _refusal(operators_only=False)
    return current


def _refusal(*, operators_only: bool) -> WrongCredentials:
    if operators_only:
        return WrongCredentials("no operator has these credentials", hint="faremeter user create --operator")
    return WrongCredentials("no user has this e-mail address and password", hint="check both, or reset the password")
