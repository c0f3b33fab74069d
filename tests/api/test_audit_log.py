"""The audit log over HTTP: every write route of the table leaves an entry that names its actor; nothing else does."""

from typing import Any

import httpx
import pytest

from app.accounts.account import Scope
from app.audit_log.actor import Actor, ActorKind
from app.audit_log.entry import AuditEntry
from tests.api.calling import basic, call, id_of, ids_of
from tests.api.installation import OPERATOR, Installation, Tenant, json_of
from tests.api.problems import Expected, assert_problem
from tests.api.routes import A_PLAN, OPERATOR_ONLY, Route, routes_that

AUDIT_LOG = "/v1/admin/audit-log"
PEER = "127.0.0.1"  # of every request over ASGI
SPOOFED = {"X-Forwarded-For": "203.0.113.9", "X-Real-IP": "203.0.113.9", "Forwarded": "for=203.0.113.9"}
ENTRIES_MAX = 100
WRITES = routes_that(lambda route: route.method != "GET" and route.needs != Scope.PREDICT)
KEY_WRITES = [route for route in WRITES if route.needs == Scope.KEYS_WRITE]
OPERATOR_WRITES = [route for route in WRITES if route.needs == OPERATOR_ONLY]
OTHERS = routes_that(lambda route: route not in WRITES)


def newest(faremeter: Installation) -> str:
    """Return the id of the newest entry."""
    return faremeter.services.audit_log.list(limit=1)[0].id


def entries_since(faremeter: Installation, entry_id: str) -> list[AuditEntry]:
    return [entry for entry in faremeter.services.audit_log.list(limit=ENTRIES_MAX) if entry.id > entry_id]


async def something_to_change(faremeter: Installation, tenant: Tenant) -> dict[str, str]:
    """Return the ids of what the tenant has, all of it other than the writes of the table would make it."""
    ids = await ids_of(faremeter, tenant)
    faremeter.services.plans.publish(A_PLAN.replace('base_fee = "0"', 'base_fee = "9"'))
    faremeter.services.plans.assign(tenant.account_id, "tiered")
    return ids


async def traces_of(faremeter: Installation, route: Route, tenant: Tenant, headers: dict[str, str]) -> list[AuditEntry]:
    """Return what one call that succeeds leaves in the log."""
    ids = await something_to_change(faremeter, tenant)
    before = newest(faremeter)
    response = await call(faremeter, route, ids, headers | SPOOFED)
    assert response.status_code == route.status, response.text
    return entries_since(faremeter, before)


def test_every_write_of_the_table_is_one_of_a_key_or_of_an_operator() -> None:
    assert {id_of(route) for route in WRITES} == {id_of(route) for route in KEY_WRITES + OPERATOR_WRITES}
    assert len(KEY_WRITES) >= 3
    assert len(OPERATOR_WRITES) >= 6


@pytest.mark.parametrize("route", KEY_WRITES, ids=id_of)
async def test_what_a_key_changes_names_the_key(faremeter: Installation, route: Route) -> None:
    tenant = faremeter.tenant()
    (entry,) = await traces_of(faremeter, route, tenant, tenant.headers)
    assert entry.actor == Actor(ActorKind.KEY, tenant.key_id, PEER)
    assert entry.account_id == tenant.account_id
    assert entry.target.startswith("key_")


@pytest.mark.parametrize("route", OPERATOR_WRITES, ids=id_of)
async def test_what_an_operator_changes_names_the_operator_or_the_key(faremeter: Installation, route: Route) -> None:
    tenant, admin = faremeter.tenant(), faremeter.admin()
    operator = Actor(ActorKind.USER, faremeter.services.sign_in.operator(*OPERATOR).id, PEER)
    for headers, actor in (
        (basic(*OPERATOR), operator),
        (admin.headers, Actor(ActorKind.KEY, admin.key_id, PEER)),
    ):
        entries = await traces_of(faremeter, route, tenant, headers)
        assert {entry.actor for entry in entries} == {actor}


@pytest.mark.parametrize("route", OTHERS, ids=id_of)
async def test_a_call_that_changes_nothing_of_the_kind_leaves_nothing(faremeter: Installation, route: Route) -> None:
    tenant = faremeter.tenant()
    headers = basic(*OPERATOR) if route.needs == OPERATOR_ONLY else tenant.headers
    assert await traces_of(faremeter, route, tenant, headers) == []


@pytest.mark.parametrize("route", WRITES, ids=id_of)
async def test_a_write_that_is_refused_leaves_nothing(faremeter: Installation, route: Route) -> None:
    tenant, reader = faremeter.tenant(), faremeter.tenant(scopes=frozenset({Scope.USAGE_READ}))
    ids = await something_to_change(faremeter, tenant)
    before = newest(faremeter)
    for headers, status in ((reader.headers, 403), ({"X-API-Key": "nonsense"}, 401)):
        assert (await call(faremeter, route, ids, headers)).status_code == status
    assert entries_since(faremeter, before) == []


async def read(faremeter: Installation, **query: Any) -> Any:
    return json_of(await faremeter.http.get(AUDIT_LOG, params=query, auth=OPERATOR))


async def test_an_entry_on_the_wire(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    made = json_of(await faremeter.http.post("/v1/keys", json={"name": "laptop"}, headers=tenant.headers))
    (entry,) = (await read(faremeter, account=tenant.account_id, limit=1))["data"]
    assert entry.pop("id").startswith("aud_")
    assert entry == {
        "occurred_at": "2026-03-15T12:00:00Z",
        "actor": {"kind": "key", "id": tenant.key_id, "address": PEER},
        "action": "key.created",
        "target": made["id"],
        "account": tenant.account_id,
        "details": {"name": "laptop", "mode": "live", "scopes": "billing:read predict usage:read"},
    }


async def test_the_log_of_an_account_is_read_page_by_page_the_newest_first(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    keys = [faremeter.another_key(tenant.account_id).key_id for _ in range(4)]
    faremeter.tenant()  # somebody else's entries are on no page
    seen: list[tuple[str, str]] = []
    cursor: str | None = ""
    while cursor is not None:
        page = await read(faremeter, account=tenant.account_id, limit=2, cursor=cursor)
        seen += [(entry["action"], entry["target"]) for entry in page["data"]]
        cursor = page["next_cursor"]
    opened = [("account.created", tenant.account_id), ("plan.assigned", tenant.account_id)]
    made = [("key.created", key_id) for key_id in (tenant.key_id, *keys)]
    assert seen == [*opened, *made][::-1]


async def test_an_account_that_nobody_opened_has_an_empty_log(faremeter: Installation) -> None:
    assert await read(faremeter, account="acct_0") == {"data": [], "next_cursor": None}


@pytest.mark.parametrize(
    ("query", "where"),
    [("limit=0", "limit"), ("limit=101", "limit"), ("account=a%20b", "account")],
)
async def test_a_bad_query_is_named(faremeter: Installation, query: str, where: str) -> None:
    response: httpx.Response = await faremeter.http.get(f"{AUDIT_LOG}?{query}", auth=OPERATOR)
    assert_problem(response, Expected(400, "invalid", where))
