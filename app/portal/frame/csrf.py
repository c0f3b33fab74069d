"""Requests that another site makes a browser send: refused by where they come from, and by a token they cannot know."""

import hashlib
import hmac
from urllib.parse import urlsplit

from starlette.requests import Request

from app.errors import Forbidden
from app.portal.frame.forms import read_form

FIELD = "csrf"
SAFE_METHODS = frozenset({"GET", "HEAD"})


class RequestForged(Forbidden):
    """The form did not come from a page of ours that this browser has open in this session."""

    code = "request_forged"


class TokenWrong(RequestForged):
    """The form has not the token of this session: it is forged, or was loaded in another one."""


def token_of(secret: str) -> str:
    """Return the token of a session's or visitor's cookie: whoever can read it can read the page, and nobody else."""
    return hashlib.sha256(b"csrf\0" + secret.encode()).hexdigest()


async def refuse_forged(request: Request, expected_token: str, public_url: str, *, patience_s: int) -> None:
    """Raise RequestForged for a request that changes something and is not one of our forms; FormInvalid for no form."""
    if request.method in SAFE_METHODS:
        return
    if not _of_same_origin(request, public_url):
        raise RequestForged("the request comes from another site", hint="open the page here and send its form again")
    sent = (await read_form(request, patience_s)).get(FIELD)
    if not isinstance(sent, str) or not hmac.compare_digest(sent.encode(), expected_token.encode()):
        raise TokenWrong("the form is from another session", hint="load the page again and repeat what you did")


def _of_same_origin(request: Request, public_url: str) -> bool:
    """Compare what the browser says of the sender: `Sec-Fetch-Site` where it knows it, and `Origin`."""
    if request.headers.get("sec-fetch-site", "same-origin") not in {"same-origin", "none"}:
        return False
    origin = request.headers.get("origin")
    return origin is None or origin == public_url or urlsplit(origin).netloc == request.headers.get("host")
