"""One sign-in at a provider while it is under way: the browser alone keeps it, in a cookie that no script reads."""

import base64
import binascii
from dataclasses import dataclass
from datetime import timedelta
from urllib.parse import urlsplit

import msgspec

ATTEMPT_TTL = timedelta(minutes=10)  # how long the cookie lives


@dataclass(frozen=True, slots=True)
class SignInAttempt:
    """The secrets of one attempt, the page that it began on, and the zone of an account that it may open.

    `binds` tells that it adds a way in to the user who is signed in; whether it may, the database knows.
    """

    state: str
    nonce: str
    verifier: str
    return_to: str
    zone: str
    binds: bool = False


def write_attempt(attempt: SignInAttempt) -> str:
    """Return the value of the cookie."""
    return base64.urlsafe_b64encode(msgspec.json.encode(attempt)).decode()


def read_attempt(cookie: str) -> SignInAttempt | None:
    """Return the attempt that a cookie holds, None where it holds none."""
    try:
        return msgspec.json.decode(base64.urlsafe_b64decode(cookie.encode()), type=SignInAttempt)
    except (binascii.Error, ValueError, msgspec.MsgspecError):
        return None


def local_page(url: str) -> str:
    """Return a path of this installation; what would lead elsewhere becomes the front page."""
    parts = urlsplit(url) if url.isprintable() and "\\" not in url else None
    leads_elsewhere = parts is None or parts.scheme or parts.netloc or not parts.path.startswith("/")
    return "/" if leads_elsewhere or url.startswith("//") else url
