"""Bad input is refused with a problem that says what, where and how to mend it; nothing runs and nothing is billed."""

from dataclasses import replace
from datetime import timedelta

import pytest

from app.accounts.account import Scope
from app.accounts.key_secret import new_secret
from tests.api.bad_input import BAD_REQUESTS, LINEAR, BadRequest
from tests.api.installation import ROW, Installation, Tenant
from tests.api.problems import Expected, assert_problem

ONE_ROW = {"json": {"inputs": [ROW]}}


async def refused(faremeter: Installation, tenant: Tenant, bad: BadRequest) -> None:
    """Send the request under an idempotency key; it must be refused and leave nothing behind."""
    before = faremeter.traces(tenant.account_id)
    headers = {"Idempotency-Key": "the-same", **tenant.headers, **bad.request.get("headers", {})}
    response = await faremeter.http.post(bad.url, **{**bad.request, "headers": headers})
    assert_problem(response, bad.expected)
    assert tenant.secret not in response.text
    await faremeter.settled()
    after = faremeter.traces(tenant.account_id)
    assert after == replace(before, batches=before.batches + 1)  # the one batch is that of `settled`


@pytest.mark.parametrize("bad", BAD_REQUESTS, ids=lambda bad: bad.name)
async def test_a_bad_request_is_refused_and_leaves_nothing_behind(faremeter: Installation, bad: BadRequest) -> None:
    await refused(faremeter, faremeter.tenant(), bad)


async def test_a_key_is_free_after_a_refusal(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    refusal = await faremeter.predict(tenant, [ROW[:3]], Idempotency_Key="mine")
    assert refusal.status_code == 400
    assert (await faremeter.predict(tenant, Idempotency_Key="mine")).status_code == 200
    assert len(faremeter.events(tenant.account_id)) == 1


async def test_an_account_without_a_plan_has_to_get_one(faremeter: Installation) -> None:
    expected = Expected(402, "no_plan")
    await refused(faremeter, faremeter.tenant(plan=None), BadRequest("no plan", LINEAR, expected, ONE_ROW))


async def test_a_model_that_the_plan_does_not_price_is_not_sold(faremeter: Installation) -> None:
    expected = Expected(403, "model_not_in_plan")
    await refused(faremeter, faremeter.tenant("digits-only"), BadRequest("not sold", LINEAR, expected, ONE_ROW))


async def test_a_model_without_weights_says_why_it_cannot_answer(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    response = await faremeter.predict(tenant, [{"b64": "AAAA"}], model="vgg16")
    body = assert_problem(response, Expected(503, "model_unavailable", hint=False))
    assert "weights" in body["detail"]
    assert response.headers["retry-after"] == "30"
    assert faremeter.traces(tenant.account_id).events == 0


async def test_a_key_without_the_scope_may_not_predict(faremeter: Installation) -> None:
    tenant = faremeter.tenant(scopes=frozenset({Scope.USAGE_READ}))
    await refused(faremeter, tenant, BadRequest("scope", LINEAR, Expected(403, "scope_missing"), ONE_ROW))


async def test_a_key_of_other_models_may_not_call_this_one(faremeter: Installation) -> None:
    tenant = faremeter.tenant(models=frozenset({"moody"}))
    await refused(faremeter, tenant, BadRequest("model", LINEAR, Expected(403, "model_not_allowed"), ONE_ROW))


async def test_a_revoked_key_is_refused_at_the_next_poll(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    assert (await faremeter.predict(tenant)).status_code == 200
    faremeter.services.accounts.revoke_key(tenant.account_id, tenant.key_id)
    faremeter.poll_changes()
    body = assert_problem(await faremeter.predict(tenant), Expected(401, "unauthenticated"))
    assert "revoked" in body["detail"]
    assert len(faremeter.events(tenant.account_id)) == 1


async def test_an_expired_key_is_refused(faremeter: Installation) -> None:
    tenant = faremeter.tenant(expires_at=faremeter.clock.now() + timedelta(hours=1))
    assert (await faremeter.predict(tenant)).status_code == 200
    faremeter.expire_key(tenant)
    body = assert_problem(await faremeter.predict(tenant), Expected(401, "unauthenticated"))
    assert "expired" in body["detail"]


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Authorization": ""},
        {"Authorization": "Bearer"},
        {"Authorization": "Bearer "},
        {"Authorization": "Basic dXNlcjpwYXNzd29yZA=="},
        {"Authorization": "fm_live_0123456789"},
        {"Authorization": "Bearer fm_live_0123456789"},
        {"Authorization": "Bearer fm_prod_" + "0" * 38},
        {"Authorization": "Bearer fm_live_" + "0" * 38},
        {"Authorization": "Bearer ' OR 1=1 --"},
        {"X-API-Key": "nonsense"},
        {"X-API-Key": "fm_test_" + "\u00e9" * 19},
    ],
    ids=str,
)
async def test_a_call_without_a_usable_key_is_refused(faremeter: Installation, headers: dict[str, str]) -> None:
    encoded = {name: value.encode() for name, value in headers.items()}
    response = await faremeter.http.post(LINEAR, headers=encoded, **ONE_ROW)  # type: ignore[arg-type]
    where = None if {"X-API-Key", "Authorization"} & headers.keys() else "Authorization"
    body = assert_problem(response, Expected(401, "unauthenticated", response.json().get("where") or where))
    assert "0123456789" not in response.text
    assert body["hint"]


async def test_a_well_formed_key_that_nobody_made_is_unknown(faremeter: Installation) -> None:
    stranger = faremeter.tenant()
    unknown = replace(stranger, secret=new_secret(live=True))
    body = assert_problem(await faremeter.predict(unknown), Expected(401, "unauthenticated"))
    assert "unknown" in body["detail"]


async def test_a_form_of_forty_thousand_dashes_is_refused_and_holds_nobody_up(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    headers = tenant.headers | {"Content-Type": "multipart/form-data; boundary=b"}
    content = b"-" * 2_000_000 + b"x"  # a search that starts anew at every dash would take hours
    response = await faremeter.http.post("/v1/models/vgg16-digits/predict", content=content, headers=headers)
    assert_problem(response, Expected(400, "body_invalid", "body"))
