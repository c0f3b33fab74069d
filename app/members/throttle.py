"""Counting what strangers may repeat: wrong passwords, and mails that they ask for."""

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.errors import AppError, Kind

MAIL_WINDOW_S = 15 * 60
_MAILS_TO_ADDRESS_MAX = 5
_MAILS_FROM_CLIENT_MAX = 60


class TooManyAttempts(AppError):
    """Too many wrong passwords or requests within a short time, or too many sign-ins at this very moment."""

    kind = Kind.RATE_LIMITED
    code = "too_many_attempts"


class MailThrottle:
    """Five mails for one address, sixty for one client, in a quarter of an hour; known addresses count like others."""

    def __init__(self) -> None:
        self._requests = FixedWindowRateLimiter(MemoryStorage())
        self._limit_of_email = RateLimitItemPerSecond(_MAILS_TO_ADDRESS_MAX, MAIL_WINDOW_S, namespace="email")
        self._limit_of_client = RateLimitItemPerSecond(_MAILS_FROM_CLIENT_MAX, MAIL_WINDOW_S, namespace="client")

    def count(self, email: str, client: str | None) -> None:
        """Count one mail, asked for by a client of that network address. Raises TooManyAttempts."""
        within = self._requests.hit(self._limit_of_email, email)
        if client is not None:
            within = self._requests.hit(self._limit_of_client, client) and within
        if not within:
            raise TooManyAttempts(
                "too many mails were asked for", hint="look into the mailbox, or wait", retry_after_s=MAIL_WINDOW_S
            )

    def forget(self) -> None:
        """Begin to count anew."""
        self._requests.storage.reset()
