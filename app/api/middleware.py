"""What every request passes, as one plain ASGI layer: request id, refused queries, body limit, log line, count."""

import asyncio
import contextlib
import re
import time
from collections.abc import Awaitable, Callable
from urllib.parse import parse_qsl

import structlog
from prometheus_client import Counter
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.errors import AppError, Internal, Invalid, Kind
from app.ids import new_id
from app.serving.drain import Drain
from app.telemetry import get_logger

AnswerError = Callable[[Request, AppError], Awaitable[Response]]
_SECRET_PARAMETERS = frozenset({"api_key", "apikey", "api-key", "key", "token", "access_token", "authorization"})
_KEY = re.compile(r"fm_(?:live|test)_[0-9A-Za-z]{32}")
_CONTROL_BYTES_MAX = 64 * 2**10
_PLAIN_FORM = b"application/x-www-form-urlencoded"  # rows from a page: pictures, which are large, come in parts
_DRAIN_BYTES_MAX = 256 * 2**20
_DRAIN_S_MAX = 20.0
_log = get_logger(__name__)
_responses = Counter("faremeter_http_responses_total", "HTTP responses by route and status", ["route", "status"])


class KeyInQuery(Invalid):
    """A credential in a URL ends in logs and histories; it must be considered leaked."""

    code = "key_in_query"


class BodyTooLarge(AppError):
    """The body exceeds the server's limit."""

    kind = Kind.TOO_LARGE
    code = "body_too_large"


class LengthInvalid(Invalid):
    """The declared length of the body is no length."""

    code = "length_invalid"


class UrlInvalid(Invalid):
    """The URL holds what no name, id or parameter can hold."""

    code = "url_invalid"


class RequestFrame:
    """Wraps the application; holds no state of a request outside its scope."""

    def __init__(self, app: ASGIApp, *, body_bytes_max: int, answer_error: AnswerError, drain: Drain) -> None:
        """Bound a predict call's body by `body_bytes_max`, any other by 64 KiB: that is parsed before its auth.

        `answer_error` makes the answer of what is refused here, which a program reads and a browser shows. While
        `drain` has begun no connection is kept for another request.
        """
        self._app = app
        self._answer_error = answer_error
        self._body_bytes_max = body_bytes_max
        self._drain = drain

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request. `scope["request_id"]` is set for everything below."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["request_id"] = request_id = new_id("req")
        structlog.contextvars.bind_contextvars(request_id=request_id)
        started_ns = time.perf_counter_ns()
        status = 0

        async def send_framed(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], (b"x-request-id", request_id.encode())]
                if self._drain.begun:
                    message["headers"].append((b"connection", b"close"))
            await send(message)

        try:
            _check_url(scope["path"], scope["query_string"])
            await self._app(scope, await self._limited(scope, receive), send_framed)
        except Exception as error:  # whatever it is, it ends this request alone, and as a problem
            if status:  # the answer has begun: only a broken connection can tell that it is not whole
                raise
            await self._answer_with(error, scope, receive, send_framed)
        finally:
            _account_for(scope, status, started_ns)

    async def _limited(self, scope: Scope, receive: Receive) -> Receive:
        """Return a receive that counts the body.

        Raises LengthInvalid, and BodyTooLarge by a declared length before anything is read.
        """
        headers = dict(scope["headers"])
        large = scope["path"].endswith("/predict") and not headers.get(b"content-type", b"").startswith(_PLAIN_FORM)
        bytes_max = self._body_bytes_max if large else _CONTROL_BYTES_MAX
        declared = headers.get(b"content-length", b"0")
        if not declared.isdigit():
            raise LengthInvalid("is not a number of bytes", where="Content-Length", hint="send the body's length")
        if int(declared) > bytes_max:
            if not _waits_to_be_asked(headers):
                await _drain(receive)
            raise _too_large(bytes_max)
        received = 0

        async def receive_counted() -> Message:
            nonlocal received
            message = await receive()
            received += len(message.get("body", b""))
            if received > bytes_max:
                if message.get("more_body", False):
                    await _drain(receive)
                raise _too_large(bytes_max)
            return message

        return receive_counted

    async def _answer_with(self, error: Exception, scope: Scope, receive: Receive, send: Send) -> None:
        """Send an error that left the application; one that nobody foresaw is logged and not shown."""
        if not isinstance(error, AppError):
            _log.error("unhandled error", exc_info=error)
            error = Internal("Faremeter failed; nothing was charged", hint="quote the request id to the operator")
        response = await self._answer_error(Request(scope, receive), error)
        if _waits_to_be_asked(dict(scope["headers"])):
            response.headers["Connection"] = "close"  # its body was not asked for and must not be taken for a request
        await response(scope, receive, send)


def _too_large(bytes_max: int) -> BodyTooLarge:
    return BodyTooLarge(f"a body has at most {bytes_max} bytes here", where="body", hint="send fewer or smaller inputs")


def _waits_to_be_asked(headers: dict[bytes, bytes]) -> bool:
    return headers.get(b"expect", b"").lower() == b"100-continue"


def _check_url(path: str, query: bytes) -> None:
    """Raise UrlInvalid for a NUL, which PostgreSQL stores in no text, and KeyInQuery for a secret."""
    if "\0" in path or b"%00" in query:
        raise UrlInvalid("the URL holds a NUL character", where="URL", hint="leave %00 out")
    if _KEY.search(path):
        raise _key_in("path")
    for name, value in parse_qsl(query.decode("latin-1"), keep_blank_values=True) if query else ():
        if name.lower() in _SECRET_PARAMETERS or "fm_live_" in value or "fm_test_" in value:
            raise _key_in("query string")


def _key_in(place: str) -> KeyInQuery:
    return KeyInQuery(
        "a key does not belong in a URL, where logs keep it; consider it leaked and revoke it",
        where=place,
        hint="send it as Authorization: Bearer …",
    )


async def _drain(receive: Receive) -> None:
    """Read and drop the rest of a refused body, in bounds: a client that is still sending would miss the answer."""
    dropped = 0
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(_DRAIN_S_MAX):
            while dropped < _DRAIN_BYTES_MAX:
                message = await receive()
                dropped += len(message.get("body", b""))
                if not message.get("more_body", False):  # the last part, or the client has gone
                    return


def _account_for(scope: Scope, status: int, started_ns: int) -> None:
    route = getattr(scope.get("route"), "path", "unmatched")
    _responses.labels(route, status).inc()
    if status >= 400:  # a success leaves its usage event; a refusal leaves this line
        duration_ms = (time.perf_counter_ns() - started_ns) // 1_000_000
        _log.info("refused", method=scope["method"], route=route, status=status, duration_ms=duration_ms)
