"""What /openapi.json says of problems is what is answered: status, code, facts and headers."""

from typing import Any

import httpx

from app.accounts.budget import Measure, Window
from app.accounts.rate_limits import RateLimits
from tests.api.calling import basic
from tests.api.installation import OPERATOR, ROW, Installation, Tenant, json_of

PREDICT = "/v1/models/{model}/predict"
REFUND = "/v1/admin/accounts/{account_id}/credits/{grant_id}/refund"
COMMON = {"type", "title", "detail", "where", "hint", "request_id"}
BASIC = basic(*OPERATOR)


async def refused_calls(faremeter: Installation) -> list[httpx.Response]:
    """Be refused by each kind of bound that a call may meet."""
    services = faremeter.services
    poor, many, brief, planless = (faremeter.tenant(plan) for plan in ("payg", "payg", "payg", None))
    services.budgets.set(poor.account_id, measure=Measure.MONEY, window=Window.DAY, limit_value=0)
    services.budgets.set(many.account_id, measure=Measure.UNITS, window=Window.DAY, limit_value=1)
    services.limits.set_of_key(brief.account_id, brief.key_id, RateLimits(1, 2))
    faremeter.poll_changes()
    assert (await faremeter.predict(brief)).status_code == 200
    calls = ((poor, 1), (many, 2), (brief, 3), (brief, 1), (planless, 1))
    return [await faremeter.predict(who, [ROW] * rows) for who, rows in calls]


async def refused_refunds(faremeter: Installation, tenant: Tenant) -> list[httpx.Response]:
    credits_url = f"/v1/admin/accounts/{tenant.account_id}/credits"
    answers = []
    for kind in ("paid", "promotional"):
        new = {"amount": "1", "kind": kind}
        grant = json_of(await faremeter.http.post(credits_url, json=new, headers=BASIC))["id"]
        refund = f"{credits_url}/{grant}/refund"
        answers.append(await faremeter.http.post(refund, json={"amount": "2"}, headers=BASIC))
    return answers


def check(schema: Any, path: str, answer: httpx.Response) -> str:
    """Hold an answer to its description; return its code."""
    body = answer.json()
    described = schema["paths"][path]["post"]["responses"][str(answer.status_code)]
    content = described["content"]["application/problem+json"]
    example = content["examples"][body["code"]]["value"]
    assert body.keys() <= content["schema"]["properties"].keys()
    assert body.keys() - COMMON == example.keys()
    for name, value in example.items():
        assert type(body[name]) is type(value), name
        assert content["schema"]["properties"][name]["type"], name
    documented = {name.lower() for name in described.get("headers", {})}
    assert ("retry-after" in answer.headers) <= ("retry-after" in documented)
    assert ("ratelimit" in answer.headers) <= ("ratelimit" in documented)
    return str(body["code"])


async def test_what_is_refused_looks_as_it_is_described(faremeter: Installation) -> None:
    schema = json_of(await faremeter.http.get("/openapi.json"))
    calls = [check(schema, PREDICT, answer) for answer in await refused_calls(faremeter)]
    assert calls == ["budget_exceeded", "quota_exceeded", "call_too_large", "rate_limited", "no_plan"]
    tenant = faremeter.tenant()
    refunds = [check(schema, REFUND, answer) for answer in await refused_refunds(faremeter, tenant)]
    assert refunds == ["refund_too_large", "grant_not_refundable"]
    once = tenant.headers | {"Idempotency-Key": "once"}
    await faremeter.http.post("/v1/keys", json={}, headers=once)
    assert check(schema, "/v1/keys", await faremeter.http.post("/v1/keys", json={}, headers=once)) == "key_made_already"


async def test_the_headers_of_a_paid_answer_are_described(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    faremeter.services.limits.set_of_key(tenant.account_id, tenant.key_id, RateLimits(5))
    faremeter.poll_changes()
    answers = [await faremeter.predict(tenant, Idempotency_Key="once") for _ in range(2)]
    schema = json_of(await faremeter.http.get("/openapi.json"))
    described = schema["paths"][PREDICT]["post"]["responses"]["200"]["headers"]
    own = {"faremeter-units", "faremeter-amount", "ratelimit", "ratelimit-policy", "idempotent-replayed"}
    assert {name.lower() for name in described} == own
    assert own - answers[0].headers.keys() == {"idempotent-replayed"}
    assert own <= answers[1].headers.keys()
