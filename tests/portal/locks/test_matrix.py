"""Who may open which page: every page of the application, asked for by every kind of caller.

The table is `tests/portal/pages.py` beside the API's own; a route without a row fails, and a row without a route too.
"""

from collections import Counter

import httpx
import pytest

from app.members.role import Permission, permissions_of
from tests.api.installation import Installation
from tests.api.routes import ROUTES
from tests.portal import visitors
from tests.portal.browser import text_of
from tests.portal.locks.belongings import OWNED, Belongings, names_in
from tests.portal.locks.callers import ROLE_OF, SIGNED_IN_CALLERS, Caller, browser_of
from tests.portal.locks.cast import cast_of
from tests.portal.locks.database_watch import writes_of
from tests.portal.locks.requests_of_pages import id_of, prepared, send
from tests.portal.locks.served_routes import ANY, served_routes
from tests.portal.pages import OPERATOR_ONLY, PAGES, PUBLIC, SIGNED_IN, Page

MOUNTS = [(ANY, "/static")]
CLOSED = [page for page in PAGES if page.needs != PUBLIC]
OPEN = [page for page in PAGES if page.needs == PUBLIC]
# Passwords are hashed slowly on purpose, so a form that everybody may send is not sent by everybody.
SOME = [Caller.ANONYMOUS, Caller.REVOKED_SESSION, Caller.VIEWER, Caller.OPERATOR, Caller.TEST_KEY]


def test_the_tables_hold_every_route_of_the_application_once(portal: Installation) -> None:
    rows = [(route.method, route.path) for route in ROUTES] + [(page.method, page.path) for page in PAGES] + MOUNTS
    assert Counter(rows) == Counter(served.name for served in served_routes(portal.app))


@pytest.mark.parametrize("page", CLOSED, ids=id_of)
async def test_a_page_answers_each_caller_as_its_row_says(portal: Installation, page: Page) -> None:
    cast = cast_of(portal)
    for caller in Caller:
        browser = cast.browser(caller)
        holder = browser if caller in SIGNED_IN_CALLERS else cast.browser(Caller.OWNER)
        belongings = Belongings(portal, cast.account_id, holder)
        request = await prepared(browser, page, belongings)
        with writes_of(portal.services.database) as written:
            answer = await request()
        expected = expected_status(page, caller)
        assert answer.status_code == expected, (caller, text_of(answer))
        if expected != page.status or caller not in SIGNED_IN_CALLERS:
            assert_closed(page, caller, answer)
            assert written == [], caller


@pytest.mark.parametrize("page", OPEN, ids=id_of)
async def test_a_public_page_is_open_to_everybody(portal: Installation, page: Page) -> None:
    for caller in Caller if page.method == "GET" else SOME:
        account_id = visitors.account(portal)
        browser = browser_of(portal, caller, account_id)
        answer = await send(browser, page, Belongings(portal, account_id, browser))
        home = 303 if page.path == "/login" and caller in SIGNED_IN_CALLERS else page.status
        assert answer.status_code == home, (caller, text_of(answer))


def expected_status(page: Page, caller: Caller) -> int:
    """Return what the row says of the caller: its own status, or how the page is closed."""
    if caller not in SIGNED_IN_CALLERS:
        return 303
    if page.needs == OPERATOR_ONLY:
        return page.status if caller is Caller.OPERATOR else 403
    owned = bool(names_in(page.path, page.form, page.query) & (OWNED - {"session_id"}))
    if page.needs == SIGNED_IN:
        return 404 if owned and caller not in ROLE_OF else page.status
    if caller is Caller.OPERATOR:
        return 403  # whoever runs the installation sees its own rooms, and no customer's
    if caller is Caller.STRANGER:
        return 404 if owned else page.status
    return page.status if Permission(page.needs) in permissions_of(ROLE_OF[caller]) else 403


def assert_closed(page: Page, caller: Caller, answer: httpx.Response) -> None:
    """Nobody learns more than that the door is closed; who is not signed in is led to the sign-in page, and back."""
    if caller in SIGNED_IN_CALLERS:
        assert answer.headers["content-type"].startswith("text/html")
        return
    location = answer.headers["location"]
    assert location == ("/login" if page.method != "GET" else f"/login?next={answer.request.url.path}")
    assert answer.content == b""
