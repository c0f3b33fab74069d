"""Who may call what: each route of the application, with each kind of caller."""

import base64
from typing import Any

import httpx
import pytest

from app.accounts.account import Scope
from app.accounts.key_secret import new_secret
from tests.api.calling import basic, call, id_of, ids_of
from tests.api.installation import OPERATOR, Installation
from tests.api.problems import Expected, assert_problem
from tests.api.routes import OPERATOR_ONLY, PUBLIC, ROUTES, Route, routes_that

KEYED = routes_that(lambda route: route.needs != PUBLIC)
SCOPED = routes_that(lambda route: route.needs not in {PUBLIC, OPERATOR_ONLY})
ADMIN = routes_that(lambda route: route.needs == OPERATOR_ONLY)
OWNED = routes_that(
    lambda route: route.needs != OPERATOR_ONLY and ("key_id" in route.path or "invoice_id" in route.path)
)


def test_the_table_holds_every_route_of_the_application(faremeter: Installation) -> None:
    schema = faremeter.app.openapi()
    served = {(method.upper(), path) for path, item in schema["paths"].items() for method in item}
    served |= {("GET", "/openapi.json")}
    assert {(route.method, route.path) for route in ROUTES} == served
    assert all(route.needs == OPERATOR_ONLY for route in ROUTES if route.path.startswith("/v1/admin"))


@pytest.mark.parametrize("route", ROUTES, ids=id_of)
async def test_who_may_call_a_route_succeeds(faremeter: Installation, route: Route) -> None:
    tenant = faremeter.tenant()
    ids = await ids_of(faremeter, tenant)
    headers = {PUBLIC: {}, OPERATOR_ONLY: basic(*OPERATOR)}.get(route.needs, tenant.headers)
    response = await call(faremeter, route, ids, headers)
    assert response.status_code == route.status, response.text
    if route.needs == OPERATOR_ONLY:
        response = await call(faremeter, route, await ids_of(faremeter, tenant), faremeter.admin().headers)
        assert response.status_code == route.status, response.text


@pytest.mark.parametrize("route", KEYED, ids=id_of)
async def test_a_caller_without_a_usable_key_is_refused(faremeter: Installation, route: Route) -> None:
    tenant, revoked, expired = faremeter.tenant(), faremeter.tenant(), faremeter.tenant()
    faremeter.services.accounts.revoke_key(revoked.account_id, revoked.key_id)
    faremeter.expire_key(expired)
    ids = await ids_of(faremeter, tenant)
    for headers in (
        {},
        {"Authorization": "Bearer nonsense"},
        {"X-API-Key": new_secret(live=True)},
        revoked.headers,
        expired.headers,
    ):
        response = await call(faremeter, route, ids, headers)
        assert_problem(response, Expected(401, "unauthenticated", response.json().get("where")))


@pytest.mark.parametrize("route", SCOPED, ids=id_of)
async def test_a_key_with_every_other_scope_is_refused(faremeter: Installation, route: Route) -> None:
    others = frozenset(Scope) - {route.needs}
    tenant = faremeter.tenant(scopes=others, operator_email=OPERATOR[0])
    response = await call(faremeter, route, await ids_of(faremeter, tenant), tenant.headers)
    body = assert_problem(response, Expected(403, "scope_missing"))
    assert str(route.needs) in body["detail"]


@pytest.mark.parametrize("route", ADMIN, ids=id_of)
async def test_an_admin_route_refuses_everybody_but_operators(faremeter: Installation, route: Route) -> None:
    live, test = faremeter.tenant(), faremeter.tenant(live=False)
    ids = await ids_of(faremeter, live)
    for tenant in (live, test):
        assert_problem(await call(faremeter, route, ids, tenant.headers), Expected(403, "scope_missing"))
    faremeter.customer()
    for credentials in (
        basic(OPERATOR[0], "a wrong password"),
        basic("nobody@example.test", OPERATOR[1]),
        basic("customer@example.test", OPERATOR[1]),
    ):
        assert_problem(await call(faremeter, route, ids, credentials), Expected(401, "wrong_credentials"))
        faremeter.forget_wrong_passwords()
    for malformed in ("Basic", "Basic $$$", "Basic " + base64.b64encode(b"no colon").decode(), "Digest x"):
        response = await call(faremeter, route, ids, {"Authorization": malformed})
        assert_problem(response, Expected(401, "unauthenticated", "Authorization"))


@pytest.mark.parametrize("route", OWNED, ids=id_of)
async def test_what_belongs_to_another_account_does_not_exist(faremeter: Installation, route: Route) -> None:
    owner, stranger = faremeter.tenant(), faremeter.tenant()
    theirs = await ids_of(faremeter, owner)
    foreign = await call(faremeter, route, theirs, stranger.headers)
    made_up = {**theirs, "key_id": theirs["key_id"][:-4] + "0000", "invoice_id": theirs["invoice_id"][:-4] + "0000"}
    unknown = await call(faremeter, route, made_up, stranger.headers)
    assert foreign.status_code == unknown.status_code == 404
    assert shape_of(foreign, theirs) == shape_of(unknown, made_up)
    assert (await call(faremeter, route, theirs, owner.headers)).status_code == route.status


def shape_of(response: httpx.Response, ids: dict[str, str]) -> Any:
    """Return a problem without the ids in it."""
    body = response.json()
    del body["request_id"]
    for value in (ids["key_id"], ids["invoice_id"]):
        body["detail"] = body["detail"].replace(value, "ID")
    return body
