"""The cookies that an answer owes the browser, whatever the answer became: a page, an error, a missing page.

A rotation has ended the old token by then: an answer without the new one would sign its reader out.
"""

from dataclasses import dataclass

from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.portal.frame.cookies import Cookies

_STATE = "owed_cookies"


@dataclass(frozen=True, slots=True)
class OwedCookies:
    """The token that replaces a session's, and the secret of the forms of a browser that had none."""

    cookies: Cookies
    session_token: str | None
    forms_secret: str | None

    def missing_in(self, message: Message) -> list[tuple[bytes, bytes]]:
        """Return the headers to add; a session that the page itself has opened or ended stays as it is."""
        response = Response()
        if self.session_token and not any(
            name == b"set-cookie" and b"faremeter_session=" in value for name, value in message["headers"]
        ):
            self.cookies.set_session(response, self.session_token)
        if self.forms_secret:
            self.cookies.set_forms_secret(response, self.forms_secret)
        return [(name, value) for name, value in response.raw_headers if name == b"set-cookie"]


def owe(scope: Scope, owed: OwedCookies) -> None:
    """Let the answer to this request carry the cookies."""
    scope.setdefault("state", {})[_STATE] = owed


class PageCookies:
    """Adds them as the answer leaves; stands around everything that answers."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith("/v1/"):  # the API owes no cookies
            await self._app(scope, receive, send)
            return

        async def send_with_cookies(message: Message) -> None:
            owed: OwedCookies | None = scope.get("state", {}).get(_STATE)
            if owed and message["type"] == "http.response.start":
                message["headers"] = [*message["headers"], *owed.missing_in(message)]
            await send(message)

        await self._app(scope, receive, send_with_cookies)
