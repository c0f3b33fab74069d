"""A browser without a screen: it keeps cookies, fills in forms with the token of the page, and reads what came back."""

import html
import re
from dataclasses import dataclass, field
from typing import Any

import httpx

from app.accounts.user_store import find_user
from tests.api.installation import Installation
from tests.installation_fixtures import PORTAL_URL

_TOKEN = re.compile(r'name="csrf" value="([0-9a-f]{64})"')
_TAGS = re.compile(r"<(script|style)\b.*?</\1>|<[^>]+>", re.DOTALL)


@dataclass
class Browser:
    """One person at one installation; `language` is what the browser says it prefers."""

    installation: Installation
    language: str = "en"
    http: httpx.AsyncClient = field(init=False)

    def __post_init__(self) -> None:
        transport = httpx.ASGITransport(self.installation.app)
        headers = {"Accept": "text/html", "Accept-Language": self.language}
        self.http = httpx.AsyncClient(transport=transport, base_url=PORTAL_URL, headers=headers)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        return await self.http.get(path, **options)

    async def post(self, path: str, data: dict[str, Any] | None = None, **options: Any) -> httpx.Response:
        """Send a form with the token that this browser's pages carry now."""
        return await self.http.post(path, data={"csrf": await self.token(), **(data or {})}, **options)

    async def token(self) -> str:
        """Return the token of this browser's forms, from a page that everybody may see."""
        found = _TOKEN.search((await self.http.get("/preferences")).text)
        assert found
        return found[1]

    def sign_in_as(self, email: str) -> str:
        """Let the browser have a session of the user, without the password; return the session's token."""
        services = self.installation.services
        with services.database.reading() as session:
            found = find_user(session, email)
        assert found
        _, token = services.sessions.open(found[0], address="127.0.0.1", agent="test")
        self.http.cookies.set("faremeter_session", token, domain="portal.example.test", path="/")
        return token


def text_of(response: httpx.Response) -> str:
    """Return what a person reads on a page, blanks folded."""
    return re.sub(r"\s+", " ", html.unescape(_TAGS.sub(" ", response.text))).strip()
