"""Every route that changes something, under an Idempotency-Key: done once, and every repeat gets the first answer."""

import asyncio
import json
from typing import Any

import httpx
import pytest
from sqlalchemy import func, select

from app.accounts.account import Scope
from app.accounts.tables import AccountRow, ApiKeyRow
from app.charging.claim import Claim, ClaimLost, StoredAnswer
from app.database import Base, DatabaseUnavailable
from app.ledger.tables import CreditGrantRow
from tests.api.calling import call, id_of, ids_of
from tests.api.installation import Installation, Tenant
from tests.api.problems import Expected, assert_problem
from tests.api.routes import OPERATOR_ONLY, ROUTES, Route, routes_that

# What changes something and keeps no answer, each with its reason.
_PREDICTS = "claims its key itself, together with its hold, and records its answer with its charge"
_SECRET = "its answer holds a secret, which is stored nowhere; a repeat is told so, and makes no second key"
_REVOKES = "doing it again changes nothing, and answers with the key as it is"
UNCLAIMED = {
    "POST /v1/models/{model}/predict": _PREDICTS,
    "POST /v1/models/{model}/versions/{version}/predict": _PREDICTS,
    "POST /v1/keys": _SECRET,
    "POST /v1/keys/{key_id}/rotate": _SECRET,
    "POST /v1/admin/accounts/{account_id}/keys": _SECRET,
    "DELETE /v1/keys/{key_id}": _REVOKES,
    "DELETE /v1/admin/accounts/{account_id}/keys/{key_id}": _REVOKES,
}
SECRETS = [route for route in ROUTES if UNCLAIMED.get(id_of(route)) == _SECRET]
CLAIMED = routes_that(lambda route: route.method != "GET" and id_of(route) not in UNCLAIMED)
WITH_BODY = [route for route in CLAIMED if "json" in route.request]
KEY = {"Idempotency-Key": "change-17"}


def caller(faremeter: Installation, route: Route, tenant: Tenant) -> dict[str, str]:
    return faremeter.admin().headers if route.needs == OPERATOR_ONLY else tenant.headers


def assert_replay(repeat: httpx.Response, first: httpx.Response) -> None:
    assert (repeat.status_code, repeat.content) == (first.status_code, first.content)
    assert repeat.headers["content-type"] == first.headers["content-type"]
    assert repeat.headers["idempotent-replayed"] == "true"


def count(faremeter: Installation, table: type[Base]) -> int:
    with faremeter.services.database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def test_each_route_that_changes_something_is_claimed_or_has_a_reason(faremeter: Installation) -> None:
    schema = faremeter.app.openapi()["paths"]
    takes_key = {
        f"{method.upper()} {path}"
        for path, item in schema.items()
        for method, operation in item.items()
        if any(parameter["name"] == "Idempotency-Key" for parameter in operation.get("parameters", ()))
    }
    changing = {id_of(route) for route in ROUTES if route.method != "GET"}
    revoking = {name for name, reason in UNCLAIMED.items() if reason == _REVOKES}
    assert takes_key == changing - revoking
    assert changing >= UNCLAIMED.keys()


@pytest.mark.parametrize("route", CLAIMED, ids=id_of)
async def test_a_repeat_gets_the_first_answer_and_says_so(faremeter: Installation, route: Route) -> None:
    tenant = faremeter.tenant()
    ids, headers = await ids_of(faremeter, tenant), caller(faremeter, route, tenant) | KEY
    first = await call(faremeter, route, ids, headers)
    assert first.status_code == route.status, first.text
    assert "idempotent-replayed" not in first.headers
    done = [entry.id for entry in faremeter.services.audit_log.list(limit=1)]
    for _ in range(2):
        assert_replay(await call(faremeter, route, ids, headers), first)
    assert [entry.id for entry in faremeter.services.audit_log.list(limit=1)] == done


@pytest.mark.parametrize("route", WITH_BODY, ids=id_of)
async def test_another_body_under_the_same_key_is_refused(faremeter: Installation, route: Route) -> None:
    tenant = faremeter.tenant()
    ids, headers = await ids_of(faremeter, tenant), caller(faremeter, route, tenant) | KEY
    first = await call(faremeter, route, ids, headers)
    body = json.dumps(route.request["json"]).replace("{account_id}", ids["account_id"]) + " "
    other = await faremeter.http.request(
        route.method, route.url(ids), content=body, headers=headers | {"Content-Type": "application/json"}
    )
    assert_problem(other, Expected(422, "idempotency_key_reused", "Idempotency-Key"))
    assert_replay(await call(faremeter, route, ids, headers), first)


@pytest.mark.parametrize("route", CLAIMED, ids=id_of)
async def test_who_may_not_call_a_route_gets_no_answer_that_was_kept(faremeter: Installation, route: Route) -> None:
    tenant = faremeter.tenant()
    ids = await ids_of(faremeter, tenant)
    assert (await call(faremeter, route, ids, caller(faremeter, route, tenant) | KEY)).status_code == route.status
    powerless = faremeter.another_key(tenant.account_id, scopes=frozenset({Scope.PREDICT}))
    assert_problem(await call(faremeter, route, ids, powerless.headers | KEY), Expected(403, "scope_missing"))


@pytest.mark.parametrize("route", SECRETS, ids=id_of)
async def test_a_key_is_made_once_and_its_secret_is_kept_nowhere(faremeter: Installation, route: Route) -> None:
    tenant = faremeter.tenant()
    ids, headers = await ids_of(faremeter, tenant), caller(faremeter, route, tenant) | KEY
    before = count(faremeter, ApiKeyRow)
    first = await call(faremeter, route, ids, headers)
    assert first.status_code == 201, first.text
    problem = assert_problem(await call(faremeter, route, ids, headers), Expected(409, "key_made_already"))
    assert problem["key"] == first.json()["id"]
    assert count(faremeter, ApiKeyRow) == before + 1
    assert faremeter.traces(tenant.account_id).claims == 0


async def test_a_key_serves_one_route_and_one_caller(faremeter: Installation) -> None:
    tenant, one, two = faremeter.tenant(), faremeter.admin(), faremeter.admin()
    url, body = f"/v1/admin/accounts/{tenant.account_id}", {"amount": "5"}
    first = await faremeter.http.post(url + "/credits", json=body, headers=one.headers | KEY)
    second = await faremeter.http.post(url + "/credits", json=body, headers=two.headers | KEY)
    elsewhere = await faremeter.http.post(url + "/plan", json=body, headers=one.headers | KEY)
    assert "idempotent-replayed" not in second.headers
    assert first.json()["id"] != second.json()["id"]
    refunds = [
        await faremeter.http.post(f"{url}/credits/{grant}/refund", json={"amount": "1"}, headers=operator.headers | KEY)
        for grant, operator in ((first.json()["id"], faremeter.admin()), (second.json()["id"], faremeter.admin()))
    ]
    assert [refund.status_code for refund in refunds] == [201, 201]
    assert elsewhere.status_code in {405, 422}
    limits = await faremeter.http.put(url + "/limits", json={}, headers=one.headers | KEY)
    assert_problem(limits, Expected(422, "idempotency_key_reused", "Idempotency-Key"))


async def test_no_key_gets_what_another_key_of_its_account_was_answered(faremeter: Installation) -> None:
    first = faremeter.tenant()
    second, subject = (faremeter.another_key(first.account_id) for _ in range(2))
    url, body = f"/v1/keys/{subject.key_id}/limits", {"requests_per_minute": 5}
    answered = await faremeter.http.put(url, json=body, headers=first.headers | KEY)
    assert answered.status_code == 200
    foreign = await faremeter.http.put(url, json=body, headers=second.headers | KEY)
    assert_problem(foreign, Expected(422, "idempotency_key_reused", "Idempotency-Key"))
    rotated = await faremeter.http.post(f"/v1/keys/{first.key_id}/rotate", json={}, headers=first.headers)
    successor = {"Authorization": f"Bearer {rotated.json()['secret']}"}
    assert_replay(await faremeter.http.put(url, json=body, headers=successor | KEY), answered)


async def test_two_keys_of_an_account_make_a_key_each_under_the_same_idempotency_key(faremeter: Installation) -> None:
    first = faremeter.tenant()
    second = faremeter.another_key(first.account_id)
    made = [await faremeter.http.post("/v1/keys", json={}, headers=each.headers | KEY) for each in (first, second)]
    assert [answer.status_code for answer in made] == [201, 201]
    assert made[0].json()["id"] != made[1].json()["id"]


async def test_of_many_at_once_one_is_done_and_the_others_wait_or_get_its_answer(faremeter: Installation) -> None:
    tenant, operator = faremeter.tenant(), faremeter.admin()
    url = f"/v1/admin/accounts/{tenant.account_id}/credits"
    answers = await asyncio.gather(
        *(faremeter.http.post(url, json={"amount": "1"}, headers=operator.headers | KEY) for _ in range(20))
    )
    done = [answer for answer in answers if answer.status_code == 201]
    assert {answer.status_code for answer in answers} <= {201, 409}
    assert len({answer.content for answer in done}) == 1
    assert all(answer.headers["retry-after"] == "1" for answer in answers if answer.status_code == 409)
    listed = await faremeter.http.get(url, headers=operator.headers)
    assert len(listed.json()["data"]) == 1


async def test_a_failure_frees_the_key(faremeter: Installation) -> None:
    operator = faremeter.admin()
    url, headers = "/v1/admin/accounts", operator.headers | KEY
    wrong = await faremeter.http.post(url, json={"name": "X", "plan": "none"}, headers=headers)
    assert_problem(wrong, Expected(404, "plan_not_found", wrong.json().get("where")))
    await faremeter.settled()
    right = await faremeter.http.post(url, json={"name": "X"}, headers=headers)
    assert right.status_code == 201


@pytest.mark.parametrize("key", [b"", b"x" * 256, b"schl\xfcssel"], ids=["empty", "too long", "not ASCII"])
async def test_a_key_that_is_none_is_refused(faremeter: Installation, key: bytes) -> None:
    known = [(name.encode(), value.encode()) for name, value in faremeter.admin().headers.items()]
    headers = [*known, (b"Idempotency-Key", key)]
    answer = await faremeter.http.post("/v1/admin/accounts", json={"name": "X"}, headers=headers)
    assert_problem(answer, Expected(400, "invalid", "Idempotency-Key"))


async def test_an_answer_too_large_to_keep_is_given_and_its_key_is_free(
    faremeter: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.claimed_route.ANSWER_BYTES_MAX", 10)
    operator, tenant = faremeter.admin(), faremeter.tenant()
    url = f"/v1/admin/accounts/{tenant.account_id}/credits"
    first = await faremeter.http.post(url, json={"amount": "1"}, headers=operator.headers | KEY)
    await faremeter.settled()
    again = await faremeter.http.post(url, json={"amount": "1"}, headers=operator.headers | KEY)
    assert (first.status_code, again.status_code) == (201, 201)
    assert "idempotent-replayed" not in again.headers
    assert first.json()["id"] == again.json()["id"]


@pytest.mark.parametrize(
    ("path", "body", "table"),
    [
        ("/v1/admin/accounts", {"name": "Once", "plan": "payg"}, AccountRow),
        ("/v1/admin/accounts/{account_id}/credits", {"amount": "3"}, CreditGrantRow),
    ],
    ids=["an account", "credit"],
)
@pytest.mark.parametrize("failure", [ClaimLost("lost"), DatabaseUnavailable("away")], ids=lambda error: error.code)
async def test_what_was_done_before_its_answer_was_kept_is_not_done_again(  # noqa: PLR0917 - fixtures and parameters
    faremeter: Installation, monkeypatch: pytest.MonkeyPatch, path: str, body: dict[str, str], table: Any, failure: Any
) -> None:
    """The effect is in the books, and the process fails before the answer is kept: a repeat finds the effect."""
    tenant, headers = faremeter.tenant(), faremeter.admin().headers | KEY
    gate, before = faremeter.services.gate, count(faremeter, table)
    url = path.format(account_id=tenant.account_id)

    async def fail(_claim: Claim, _answer: StoredAnswer) -> None:
        raise failure

    monkeypatch.setattr(gate, "complete", fail)
    lost = await faremeter.http.post(url, json=body, headers=headers)
    assert lost.status_code == 503
    assert count(faremeter, table) == before + 1
    monkeypatch.undo()
    await faremeter.settled()
    again = await faremeter.http.post(url, json=body, headers=headers)
    assert again.status_code == 201
    assert count(faremeter, table) == before + 1 + int(table is AccountRow)  # `settled` opens one of its own
    assert_replay(await faremeter.http.post(url, json=body, headers=headers), again)
