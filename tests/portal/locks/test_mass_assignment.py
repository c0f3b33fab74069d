"""Fields that no form has: every column of every table, added to every form and to every JSON body.

Tries to become the owner, an operator or another account by naming a column of a table in the body of a write.
"""

import json

import pytest

from app.database import Base
from tests.api.calling import ids_of
from tests.api.installation import Installation
from tests.api.routes import OPERATOR_ONLY, ROUTES, Route
from tests.portal import people
from tests.portal.browser import text_of
from tests.portal.locks.belongings import Belongings
from tests.portal.locks.callers import forms_token
from tests.portal.locks.database_watch import writes_of
from tests.portal.locks.requests_of_pages import id_of
from tests.portal.locks.served_routes import served_route
from tests.portal.locks.test_forged_requests import FORMS, victim_of
from tests.portal.pages import Page

COLUMNS = sorted({column.name for table in Base.metadata.tables.values() for column in table.columns})
CLAIMS = {"is_admin": "true", "__proto__": "x", "user[operator]": "true", "constructor": "x", "permissions": "owner"}
JSON_WRITES = [route for route in ROUTES if "json" in route.request and not route.path.endswith("/predict")]


def values(*, but: set[str]) -> dict[str, str]:
    return {name: value for name, value in (dict.fromkeys(COLUMNS, "1") | CLAIMS).items() if name not in but}


def test_the_columns_are_those_that_an_attacker_would_name() -> None:
    assert {"account_id", "role", "operator", "user_id", "live", "password_hash", "purpose", "scopes"} <= set(COLUMNS)


@pytest.mark.parametrize("page", FORMS, ids=id_of)
async def test_a_form_with_a_field_of_a_table_is_refused(portal: Installation, page: Page) -> None:
    account_id = people.account(portal)
    victim = victim_of(portal, page, account_id)
    belongings = Belongings(portal, account_id, victim)
    path = await belongings.fill(page.path)
    form = {**await belongings.fill_form(page.form), "csrf": forms_token(victim)}
    known = served_route(portal.app, page.method, page.path).fields
    for name, value in values(but=known).items():
        with writes_of(portal.services.database) as written:
            answer = await victim.http.request(page.method, path, data={**form, name: value})
        assert answer.status_code == 400, (name, text_of(answer))
        assert written == [], name


@pytest.mark.parametrize("route", JSON_WRITES, ids=lambda route: f"{route.method} {route.path}")
async def test_a_body_with_a_field_of_a_table_is_refused(portal: Installation, route: Route) -> None:
    tenant = portal.tenant()
    ids = await ids_of(portal, tenant)
    headers = portal.admin().headers if route.needs == OPERATOR_ONLY else tenant.headers
    body = json.loads(json.dumps(route.request["json"]).replace("{account_id}", tenant.account_id))
    known = served_route(portal.app, route.method, route.path).fields
    for name, value in values(but=known).items():
        with writes_of(portal.services.database) as written:
            answer = await portal.http.request(
                route.method, route.url(ids), json={**body, name: value}, headers=headers
            )
        assert answer.status_code == 400, (name, answer.text)
        assert written == [], name
