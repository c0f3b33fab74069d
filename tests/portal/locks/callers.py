"""Who calls: people in each role and out of it, sessions that are over, keys, and nobody."""

import base64
from enum import StrEnum

from app.accounts.account import Scope
from app.members.role import Role
from app.members.session_store import find_session
from app.members.token import digest_of
from app.portal.frame.csrf import token_of
from tests.api.installation import ALL_SCOPES, OPERATOR, Installation
from tests.portal import visitors
from tests.portal.browser import Browser


class Caller(StrEnum):
    """A column of the matrix."""

    ANONYMOUS = "anonymous"
    SIGNED_OUT = "signed out"
    REVOKED_SESSION = "revoked session"
    STRANGER = "owner of another account"
    VIEWER = "viewer"
    DEVELOPER = "developer"
    BILLING = "billing"
    OWNER = "owner"
    OPERATOR = "operator"
    LIVE_KEY = "live key"
    TEST_KEY = "test key"
    REVOKED_KEY = "revoked key"
    ADMIN_KEY = "admin key"
    OPERATOR_PASSWORD = "operator by Basic"


ROLE_OF = {
    Caller.VIEWER: Role.VIEWER,
    Caller.DEVELOPER: Role.DEVELOPER,
    Caller.BILLING: Role.BILLING,
    Caller.OWNER: Role.OWNER,
}
SIGNED_IN_CALLERS = frozenset({*ROLE_OF, Caller.STRANGER, Caller.OPERATOR})
_FORMS_SECRET = "secret-of-the-forms"
_COOKIE = {"domain": "portal.example.test", "path": "/"}


def browser_of(portal: Installation, caller: Caller, account_id: str) -> Browser:
    """Return the caller's browser; roles are members of that account."""
    forget_limits(portal)
    if caller in ROLE_OF:
        return visitors.member(portal, ROLE_OF[caller], account_id)
    if caller is Caller.STRANGER:
        return visitors.member(portal, Role.OWNER)
    if caller is Caller.OPERATOR:
        return visitors.another_operator(portal)
    if caller in {Caller.SIGNED_OUT, Caller.REVOKED_SESSION}:
        return _with_dead_session(portal, caller, account_id)
    browser = Browser(portal)
    browser.http.headers.update(_credentials(portal, caller, account_id))
    return browser


def forget_limits(portal: Installation) -> None:
    """Begin a new quarter of an hour: all tests come from one address."""
    portal.forget_wrong_passwords()
    portal.services.members._link_mail._throttle.forget()


def forms_token(browser: Browser) -> str:
    """Return the token of the browser's forms, as its pages would carry it."""
    if is_signed_in(browser):
        return token_of(str(browser.http.cookies["faremeter_session"]))
    browser.http.cookies.set("faremeter_forms", _FORMS_SECRET, **_COOKIE)
    return token_of(_FORMS_SECRET)


def is_signed_in(browser: Browser) -> bool:
    """Tell whether the browser's cookie is a session's, and the one of the person whose browser it is."""
    token = browser.http.cookies.get("faremeter_session") or ""
    with browser.installation.services.database.reading() as session:
        found = find_session(session, digest_of(token))
    return found is not None and (not isinstance(browser, visitors.Person) or found.user_id == browser.user.id)


def _with_dead_session(portal: Installation, caller: Caller, account_id: str) -> Browser:
    """Return an owner's browser that still holds the cookie of a session which is over."""
    member = visitors.member(portal, Role.OWNER, account_id)
    sessions, token = portal.services.sessions, str(member.http.cookies["faremeter_session"])
    if caller is Caller.SIGNED_OUT:
        sessions.close(token)
    else:
        sessions.revoke(member.user.id, sessions.list(member.user.id)[0].id)
    return member


def _credentials(portal: Installation, caller: Caller, account_id: str) -> dict[str, str]:
    if caller is Caller.ANONYMOUS:
        return {}
    if caller is Caller.OPERATOR_PASSWORD:
        return {"Authorization": "Basic " + base64.b64encode(":".join(OPERATOR).encode()).decode()}
    if caller is Caller.ADMIN_KEY:
        key = portal.another_key(account_id, scopes=frozenset({Scope.ADMIN}), operator_email=OPERATOR[0])
        return key.headers
    key = portal.another_key(account_id, scopes=ALL_SCOPES, live=caller is not Caller.TEST_KEY)
    if caller is Caller.REVOKED_KEY:
        portal.services.accounts.revoke_key(account_id, key.key_id)
    return key.headers
