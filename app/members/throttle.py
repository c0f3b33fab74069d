"""Counting what strangers may repeat: wrong passwords, and mails that they ask for."""

from ipaddress import IPv6Address, IPv6Network, ip_address

from limits import RateLimitItemPerSecond
from limits.storage import MemoryStorage
from limits.strategies import FixedWindowRateLimiter

from app.errors import AppError, Kind

MAIL_WINDOW_S = 15 * 60
_MAILS_TO_ADDRESS_MAX = 5
_MAILS_OF_ASKER_MAX = 60
_IPV6_PREFIX_BITS = 64  # what one customer of a network has at least


class TooManyAttempts(AppError):
    """Too many wrong passwords or requests within a short time, or too many sign-ins at this very moment."""

    kind = Kind.RATE_LIMITED
    code = "too_many_attempts"


class MailThrottle:
    """Sixty mails of one who asks, then five of each kind for one address, in a quarter of an hour.

    Who asks for too many uses up nobody's address, and mails of one kind never keep those of another kind back. Known
    and unknown addresses count alike.
    """

    def __init__(self) -> None:
        self._requests = FixedWindowRateLimiter(MemoryStorage())
        self._limit_of_email = RateLimitItemPerSecond(_MAILS_TO_ADDRESS_MAX, MAIL_WINDOW_S, namespace="email")
        self._limit_of_asker = RateLimitItemPerSecond(_MAILS_OF_ASKER_MAX, MAIL_WINDOW_S, namespace="asker")

    def count_asker(self, asked_by: str) -> None:
        """Count a mail of one who asks: a network address, or an account that invites. Raises TooManyAttempts."""
        if not self._requests.hit(self._limit_of_asker, client_of(asked_by)):
            raise too_many_mails()

    def admits(self, kind: str, email: str) -> bool:
        """Count a mail of that kind to that address; tell whether it is within the limit."""
        return self._requests.hit(self._limit_of_email, kind, email)

    def forget(self) -> None:
        """Begin to count anew."""
        self._requests.storage.reset()


def too_many_mails() -> TooManyAttempts:
    """Return the error for mails beyond a limit."""
    return TooManyAttempts(
        "too many mails were asked for", hint="look into the mailbox, or wait", retry_after_s=MAIL_WINDOW_S
    )


def client_of(address: str) -> str:
    """Return by what limits know a network address: one machine has a whole IPv6 network to choose addresses from."""
    try:
        parsed = ip_address(address.partition("%")[0])
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(IPv6Network((parsed, _IPV6_PREFIX_BITS), strict=False))
