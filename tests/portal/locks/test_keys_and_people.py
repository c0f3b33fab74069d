"""A person's session opens no route of the API, and a test key opens what a live one does, but for what is live."""

import pytest

from app.accounts.account import Scope
from tests.api.calling import call, ids_of
from tests.api.installation import ALL_SCOPES, Installation
from tests.api.routes import OPERATOR_ONLY, PUBLIC, ROUTES, Route
from tests.portal import visitors
from tests.portal.locks.callers import Caller, browser_of
from tests.portal.locks.database_watch import writes_of

KEYED = [route for route in ROUTES if route.needs != PUBLIC]
# A test key makes no live key, neither a new one nor the successor of one.
LIVE_ONLY = {("POST", "/v1/keys"), ("POST", "/v1/keys/{key_id}/rotate")}


def id_of(route: Route) -> str:
    return f"{route.method} {route.path}"


@pytest.mark.parametrize("route", KEYED, ids=id_of)
async def test_the_cookies_of_people_open_no_route_of_the_interface(portal: Installation, route: Route) -> None:
    tenant = portal.tenant()
    ids = await ids_of(portal, tenant)
    for caller in (Caller.OWNER, Caller.DEVELOPER, Caller.OPERATOR):
        browser = browser_of(portal, caller, tenant.account_id)
        cookies = "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())
        with writes_of(portal.services.database) as written:
            answer = await call(portal, route, ids, {"Cookie": cookies, "Origin": "http://portal.example.test"})
        assert (answer.status_code, answer.json()["code"]) == (401, "unauthenticated")
        assert written == []


@pytest.mark.parametrize("route", KEYED, ids=id_of)
async def test_a_test_key_opens_what_a_live_key_does_but_for_what_is_live(portal: Installation, route: Route) -> None:
    account_id = visitors.account(portal)
    test_key = portal.another_key(account_id, scopes=ALL_SCOPES, live=False)
    answer = await call(portal, route, await ids_of(portal, test_key), test_key.headers)
    if route.needs == OPERATOR_ONLY:
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_missing")
    elif (route.method, route.path) in LIVE_ONLY:
        assert (answer.status_code, answer.json()["code"]) == (403, "scope_escalation")
    else:
        assert answer.status_code == route.status, answer.text


@pytest.mark.parametrize("scope", [Scope.PREDICT, Scope.USAGE_READ, Scope.BILLING_READ])
async def test_a_test_key_with_one_scope_reaches_nothing_of_another(portal: Installation, scope: Scope) -> None:
    test_key = portal.tenant(scopes=frozenset({scope}), live=False)
    ids = await ids_of(portal, test_key)
    for route in KEYED:
        answer = await call(portal, route, ids, test_key.headers)
        assert (answer.status_code == 403) == (route.needs != scope), (route, answer.text)
