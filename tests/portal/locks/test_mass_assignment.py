"""Fields that no form has: every column of every table, added to every form and to every JSON body.

Tries to become the owner, an operator or another account by naming a column of a table in the body of a write.
"""

import json

import pytest
from pydantic import BaseModel

from app.database import Base
from tests.api.calling import ids_of
from tests.api.installation import Installation
from tests.api.routes import OPERATOR_ONLY, ROUTES, Route
from tests.portal.browser import text_of
from tests.portal.locks.belongings import Belongings
from tests.portal.locks.callers import forms_token
from tests.portal.locks.cast import cast_of
from tests.portal.locks.database_watch import writes_of
from tests.portal.locks.requests_of_pages import id_of
from tests.portal.locks.served_routes import ANY, served_route, served_routes
from tests.portal.locks.test_forged_requests import FORMS, victim_of
from tests.portal.pages import Page

COLUMNS = sorted({column.name for table in Base.metadata.tables.values() for column in table.columns})
CLAIMS = ["is_admin", "__proto__", "user[operator]"]
JSON_WRITES = [route for route in ROUTES if "json" in route.request and not route.path.endswith("/predict")]


WORST = ["account_id", "user_id", "role", "operator", "live", "scopes", "password_hash", "purpose", "plan_key", "id"]


def claims(known: set[str]) -> dict[str, dict[str, str]]:
    """Return what is added to a body: each of the worst by itself, and every column of every table at once."""
    alone = {name: {name: "1"} for name in WORST if name not in known} | {name: {name: "1"} for name in CLAIMS}
    return {**alone, "every column": {name: "1" for name in COLUMNS if name not in known}}


def test_whatever_a_route_reads_refuses_what_it_does_not_know(portal: Installation) -> None:
    """Each column by itself: a model that forbids one unknown field forbids all."""
    writes = [served for served in served_routes(portal.app) if served.method not in {"GET", ANY}]
    lax = {served.name for served in writes if not all(map(forbids, served.models)) or not served.models}
    assert lax == {
        ("POST", "/v1/models/{model}/predict"),  # read by hand, as the bytes that they are
        ("POST", "/v1/models/{model}/versions/{version}/predict"),
        ("DELETE", "/v1/keys/{key_id}"),  # without a body, as those that follow
        ("DELETE", "/v1/keys/{key_id}/budgets/{measure}/{window}"),
        ("DELETE", "/v1/admin/accounts/{account_id}/keys/{key_id}/budgets/{measure}/{window}"),
        ("DELETE", "/v1/admin/accounts/{account_id}/keys/{key_id}"),
        ("DELETE", "/v1/admin/accounts/{account_id}/budgets/{measure}/{window}"),
        ("POST", "/v1/admin/plans"),  # a plan file, which its own reader checks
    }


def forbids(model: type[BaseModel]) -> bool:
    return model.model_config.get("extra") == "forbid"


def test_the_columns_are_those_that_an_attacker_would_name() -> None:
    assert {"account_id", "role", "operator", "user_id", "live", "password_hash", "purpose", "scopes"} <= set(COLUMNS)


@pytest.mark.parametrize("page", FORMS, ids=id_of)
async def test_a_form_with_a_field_of_a_table_is_refused(portal: Installation, page: Page) -> None:
    victim = victim_of(portal, page)
    belongings = Belongings(portal, cast_of(portal).account_id, victim)
    path = await belongings.fill(page.path)
    form = {**await belongings.fill_form(page.form), "csrf": forms_token(victim)}
    known = served_route(portal.app, page.method, page.path).fields
    for name, claim in claims(known).items():
        with writes_of(portal.services.database) as written:
            answer = await victim.http.request(page.method, path, data=form | claim)
        assert answer.status_code == 400, (name, text_of(answer))
        assert written == [], name


@pytest.mark.parametrize("route", JSON_WRITES, ids=lambda route: f"{route.method} {route.path}")
async def test_a_body_with_a_field_of_a_table_is_refused(portal: Installation, route: Route) -> None:
    tenant = portal.tenant()
    ids = await ids_of(portal, tenant)
    headers = portal.admin().headers if route.needs == OPERATOR_ONLY else tenant.headers
    body = json.loads(json.dumps(route.request["json"]).replace("{account_id}", tenant.account_id))
    known = served_route(portal.app, route.method, route.path).fields
    for name, claim in claims(known).items():
        with writes_of(portal.services.database) as written:
            answer = await portal.http.request(route.method, route.url(ids), json=body | claim, headers=headers)
        assert answer.status_code == 400, (name, answer.text)
        assert written == [], name
