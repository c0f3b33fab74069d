"""What a browser is told about every page: what it may load, who may frame it, what it tells others."""

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.portal.frame.rendering import addresses_for_ever

_POLICY = {
    "default-src": "'none'",
    "script-src": "'self'",
    "style-src": "'self'",
    "img-src": "'self' data: blob:",  # data: the style sheet's arrows; blob: the preview of a picture not yet sent
    "font-src": "'self'",
    "connect-src": "'self'",
    "form-action": "'self'",
    "base-uri": "'none'",
    "frame-ancestors": "'none'",
}
CONTENT_SECURITY_POLICY = "; ".join(f"{directive} {sources}" for directive, sources in _POLICY.items())
_HEADERS = {
    "Content-Security-Policy": CONTENT_SECURITY_POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",  # links in mails hold a token in their path: no other site learns it
    "Cross-Origin-Opener-Policy": "same-origin",
    "Permissions-Policy": "camera=(), geolocation=(), microphone=()",
}
_HTTPS_ONLY = {"Strict-Transport-Security": "max-age=31536000"}
# What a program gets may be a key's secret, and is no page: whatever keeps it or guesses at its kind is wrong.
_OF_API = {"X-Content-Type-Options": "nosniff", "Cache-Control": "no-store"}
_FOR_EVER = "public, max-age=31536000, immutable"
_WHOLE_OR_KEPT = (200, 304)
_API_PREFIXES = ("/v1/", "/v2/")


class SecurityHeaders:
    """Adds the headers to every page and fewer to answers of the API; predictions, its hot path, go without."""

    def __init__(self, app: ASGIApp, *, https: bool = False) -> None:
        """With `https`, browsers are told to ask for nothing here without it from now on."""
        self._app = app
        transport = _HTTPS_ONLY if https else {}
        self._of_pages, self._of_api = {**_HEADERS, **transport}, {**_OF_API, **transport}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or (_is_api(scope) and scope["path"].endswith("/predict")):
            await self._app(scope, receive, send)
            return

        added = self._of_api if _is_api(scope) else self._of_pages

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(added)
                headers.setdefault("Cache-Control", _cache_control(scope, message["status"]))
            await send(message)

        await self._app(scope, receive, send_with_headers)


def _is_api(scope: Scope) -> bool:
    path: str = scope["path"]
    return path.startswith(_API_PREFIXES)


def _cache_control(scope: Scope, status: int) -> str:
    """Pages show what belongs to one person; a file is kept where it is asked for by the digest of its content."""
    address = f"{scope['path']}?{scope['query_string'].decode('latin-1')}"
    return _FOR_EVER if status in _WHOLE_OR_KEPT and address in addresses_for_ever() else "no-store"
