"""Calling a route of the table: with ids that exist, as whoever the headers say."""

import base64
import json
from typing import Any

import httpx

from app.accounts.account import Scope
from app.accounts.budget import Measure, Window
from app.period import Month
from tests.api.installation import ROW, Installation, Tenant
from tests.api.routes import Route


def id_of(route: Route) -> str:
    return f"{route.method} {route.path}"


def basic(email: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{email}:{password}".encode()).decode()}


async def ids_of(faremeter: Installation, tenant: Tenant) -> dict[str, str]:
    """Return the ids of what the tenant has: a further key, credit, quotas, and an invoice of this month."""
    if not faremeter.events(tenant.account_id):
        faremeter.services.plans.assign(tenant.account_id, "payg")
        await faremeter.predict(faremeter.another_key(tenant.account_id), [ROW])
    now = faremeter.clock.now()
    (outcome,) = faremeter.services.invoice_run.run(Month(now.year, now.month), tenant.account_id).outcomes
    assert outcome.invoice
    key = faremeter.another_key(tenant.account_id, scopes=frozenset({Scope.PREDICT}))
    grant = faremeter.services.credits.grant(tenant.account_id, amount_nanos=10**9)
    facts = {"account_id": tenant.account_id, "key_id": key.key_id, "invoice_id": outcome.invoice.id}
    facts |= {"grant_id": grant.id}
    quota: dict[str, Any] = {"measure": Measure.UNITS, "window": Window.DAY}
    for key_id in (None, key.key_id):
        faremeter.services.budgets.set(tenant.account_id, key_id=key_id, limit_value=10**6, **quota)
    facts |= quota
    return {"model": "linear", "version": "1", **facts}


async def call(faremeter: Installation, route: Route, ids: dict[str, str], headers: dict[str, str]) -> httpx.Response:
    request: dict[str, Any] = dict(route.request)
    if "json" in request:
        request["json"] = json.loads(json.dumps(request["json"]).replace("{account_id}", ids["account_id"]))
    merged = request.pop("headers", {}) | headers
    return await faremeter.http.request(route.method, route.url(ids), headers=merged, **request)
