"""The cookies of the pages: who signed in, which tab a form came from, the account looked at, preferences, and a
sign-in at a provider that is under way.

All are HttpOnly and SameSite=Lax: no script reads them, no other site sends them with a form. Over https they are
Secure, and their names have the prefix that binds them to this host.
"""

import secrets
from dataclasses import dataclass

from starlette.requests import Request
from starlette.responses import Response

from app.members.open_id_attempt import ATTEMPT_TTL
from app.portal.frame.preferences import COOKIE as PREFERENCES
from app.portal.frame.preferences import COOKIE_MAX_AGE_S, Preferences

_SESSION = "faremeter_session"
_FORMS = "faremeter_forms"
_ACCOUNT = "faremeter_account"
_ATTEMPT = "faremeter_attempt"
_CHARS_MAX = 200
_ATTEMPT_CHARS_MAX = 2000  # it holds the page to come back to


@dataclass(frozen=True, slots=True)
class Cookies:
    """Reads and writes them for an installation that people reach at `public_url`."""

    public_url: str
    session_ttl_s: int

    @property
    def secure(self) -> bool:
        return self.public_url.startswith("https://")

    @property
    def _prefix(self) -> str:
        return "__Host-" if self.secure else ""

    def session_token(self, request: Request) -> str | None:
        """Return the token of the session that the browser says it has."""
        return self._read(request, _SESSION)

    def forms_secret(self, request: Request) -> str | None:
        """Return the secret of a browser's forms from before it signed in."""
        return self._read(request, _FORMS)

    def account_id(self, request: Request) -> str | None:
        """Return the account that the browser looked at last."""
        return self._read(request, _ACCOUNT)

    def set_session(self, response: Response, token: str) -> None:
        """Let the browser be signed in; the token is always one that was just made or is in the database."""
        self._write(response, _SESSION, token, self.session_ttl_s)

    def end_session(self, response: Response) -> None:
        """Let the browser forget the session, and the account it looked at."""
        for name in (_SESSION, _ACCOUNT):
            self._write(response, name, "", 0)

    def set_forms_secret(self, response: Response, secret: str) -> None:
        """Give a browser the secret that its forms' tokens are made of."""
        self._write(response, _FORMS, secret, None)

    def set_account(self, response: Response, account_id: str) -> None:
        """Remember the account that a person looks at."""
        self._write(response, _ACCOUNT, account_id, self.session_ttl_s)

    def attempt(self, request: Request) -> str | None:
        """Return the sign-in at a provider that the browser has under way."""
        return self._read(request, _ATTEMPT, _ATTEMPT_CHARS_MAX)

    def set_attempt(self, response: Response, attempt: str) -> None:
        """Let the browser keep a sign-in at a provider until it comes back from there."""
        self._write(response, _ATTEMPT, attempt, int(ATTEMPT_TTL.total_seconds()))

    def end_attempt(self, response: Response) -> None:
        """Let the browser forget it: an attempt is good for one answer."""
        self._write(response, _ATTEMPT, "", 0)

    def set_preferences(self, response: Response, preferences: Preferences) -> None:
        """Remember how the browser wants its pages."""
        response.set_cookie(
            PREFERENCES, preferences.cookie_value(), COOKIE_MAX_AGE_S, secure=self.secure, httponly=True, samesite="lax"
        )

    def _read(self, request: Request, name: str, chars_max: int = _CHARS_MAX) -> str | None:
        value = request.cookies.get(self._prefix + name)
        return value if value and len(value) <= chars_max else None

    def _write(self, response: Response, name: str, value: str, max_age_s: int | None) -> None:
        response.set_cookie(
            self._prefix + name, value, max_age_s, path="/", secure=self.secure, httponly=True, samesite="lax"
        )


def new_forms_secret() -> str:
    """Return a fresh secret for a browser's forms (128 bits)."""
    return secrets.token_urlsafe(16)
