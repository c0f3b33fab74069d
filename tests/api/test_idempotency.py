"""One Idempotency-Key: one result and one charge, and every repeat gets the same bytes."""

import asyncio
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from sqlalchemy import update

from app.accounts.account import Scope
from app.charging.tables import ClaimRow
from app.main import create_app
from app.settings import Settings
from tests.api.gate import GATE
from tests.api.installation import ROW, Installation, Tenant, until
from tests.api.pictures import picture
from tests.api.problems import Expected, assert_problem
from tests.installation_fixtures import Start

KEY = {"Idempotency_Key": "order-17"}


def assert_replay(repeat: httpx.Response, first: httpx.Response) -> None:
    assert first.status_code == 200, first.text
    assert (repeat.status_code, repeat.content) == (first.status_code, first.content)
    assert repeat.headers["content-type"] == first.headers["content-type"]
    assert repeat.headers["idempotent-replayed"] == "true"
    assert repeat.headers["x-request-id"] != first.headers["x-request-id"]


async def test_a_repeat_gets_the_same_answer_for_one_charge(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    first = await faremeter.predict(tenant, **KEY)
    assert "idempotent-replayed" not in first.headers
    for _ in range(3):
        assert_replay(await faremeter.predict(tenant, **KEY), first)
    assert len(faremeter.events(tenant.account_id)) == 1


async def test_another_body_under_the_same_key_is_refused(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    first = await faremeter.predict(tenant, **KEY)
    other = await faremeter.predict(tenant, [ROW, ROW], **KEY)
    assert_problem(other, Expected(422, "idempotency_key_reused", "Idempotency-Key"))
    url, headers = "/v1/models/linear/versions/1/predict", tenant.headers | {"Idempotency-Key": "order-17"}
    elsewhere = await faremeter.http.post(url, json={"inputs": [ROW]}, headers=headers)
    assert_problem(elsewhere, Expected(422, "idempotency_key_reused", "Idempotency-Key"))
    assert_replay(await faremeter.predict(tenant, **KEY), first)
    assert len(faremeter.events(tenant.account_id)) == 1


async def test_fifty_at_once_are_charged_once(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    responses = await asyncio.gather(*(faremeter.predict(tenant, **KEY) for _ in range(50)))
    answers = [response for response in responses if response.status_code == 200]
    assert answers
    assert len({response.content for response in answers}) == 1
    for response in responses:
        if response.status_code != 200:
            assert_problem(response, Expected(409, "idempotency_key_in_use", "Idempotency-Key", hint=False))
            assert response.headers["retry-after"] == "1"
    assert len(faremeter.events(tenant.account_id)) == 1
    assert_replay(await faremeter.predict(tenant, **KEY), answers[0])


async def test_a_repeat_while_the_first_call_runs_is_told_so(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    with GATE.closed():
        first = asyncio.create_task(faremeter.predict(tenant, [[8, 0]], model="moody", **KEY))
        await asyncio.to_thread(GATE.wait_until_reached)
        second = await faremeter.predict(tenant, [[8, 0]], model="moody", **KEY)
        assert_problem(second, Expected(409, "idempotency_key_in_use", "Idempotency-Key", hint=False))
    done = await first
    assert_replay(await faremeter.predict(tenant, [[8, 0]], model="moody", **KEY), done)
    assert len(faremeter.events(tenant.account_id)) == 1


async def test_a_form_is_the_same_request_under_another_boundary(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    first = await upload(faremeter, tenant, picture(), "one-boundary")
    assert_replay(await upload(faremeter, tenant, picture(), "another-boundary"), first)
    other = await upload(faremeter, tenant, picture(shade=5), "one-boundary")
    assert_problem(other, Expected(422, "idempotency_key_reused", "Idempotency-Key"))
    assert len(faremeter.events(tenant.account_id)) == 1


async def upload(faremeter: Installation, tenant: Tenant, data: bytes, boundary: str) -> httpx.Response:
    named = {"Idempotency-Key": "upload", "Content-Type": f"multipart/form-data; boundary={boundary}"}
    url = "/v1/models/vgg16-digits/predict"
    return await faremeter.http.post(url, files={"file": ("a.png", data)}, headers=tenant.headers | named)


async def test_keys_of_two_accounts_do_not_collide(faremeter: Installation) -> None:
    ada, bob = faremeter.tenant(), faremeter.tenant()
    first = await faremeter.predict(ada, **KEY)
    second = await faremeter.predict(bob, [ROW, ROW], **KEY)
    assert second.status_code == 200
    assert first.json()["id"] != second.json()["id"]
    assert len(faremeter.events(bob.account_id)) == 1


async def test_two_keys_of_one_account_share_their_answers(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    first = await faremeter.predict(tenant, **KEY)
    assert_replay(await faremeter.predict(faremeter.another_key(tenant.account_id), **KEY), first)


@pytest.mark.parametrize(
    "limits",
    [{"scopes": frozenset({Scope.USAGE_READ})}, {"models": frozenset({"moody"})}],
    ids=["no scope", "other models"],
)
async def test_a_key_that_may_not_call_gets_no_stored_answer(faremeter: Installation, limits: Any) -> None:
    tenant = faremeter.tenant()
    await faremeter.predict(tenant, **KEY)
    response = await faremeter.predict(faremeter.another_key(tenant.account_id, **limits), **KEY)
    assert response.status_code == 403


async def test_the_answer_is_kept_when_the_plan_no_longer_sells_the_model(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    first = await faremeter.predict(tenant, **KEY)
    faremeter.services.plans.assign(tenant.account_id, "digits-only")
    faremeter.poll_changes()
    assert (await faremeter.predict(tenant)).status_code == 403
    assert_replay(await faremeter.predict(tenant, **KEY), first)
    assert (await faremeter.predict(tenant, [ROW, ROW], **KEY)).status_code == 403


async def test_the_answer_is_kept_where_the_model_is_unavailable(
    sqlite_file: str, start: Start, settings_on: Callable[..., Settings], tmp_path: Path
) -> None:
    route, png = "/v1/models/vgg16-digits/predict", picture()
    async with start(sqlite_file) as faremeter:
        headers = faremeter.tenant().headers | {"Content-Type": "image/png"}
        first = await faremeter.http.post(route, content=png, headers=headers | {"Idempotency-Key": "order-17"})
        assert first.status_code == 200
    without_weights = create_app(settings_on(sqlite_file, data_dir=tmp_path), faremeter.clock)
    transport = httpx.ASGITransport(without_weights)
    async with (
        without_weights.router.lifespan_context(without_weights),
        httpx.AsyncClient(transport=transport, base_url="http://api.example.test") as http,
    ):
        assert (await http.post(route, content=png, headers=headers)).status_code == 503
        repeat = await http.post(route, content=png, headers=headers | {"Idempotency-Key": "order-17"})
    assert_replay(repeat, first)


async def test_a_claim_of_a_dead_process_is_taken_over(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    with GATE.closed():
        first = asyncio.create_task(faremeter.predict(tenant, [[4, 0]], model="moody", **KEY))
        await asyncio.to_thread(GATE.wait_until_reached)
        with faremeter.services.database.transaction() as session:
            mine = ClaimRow.account_id == tenant.account_id
            session.execute(update(ClaimRow).where(mine).values(lease_id="proc_of_the_dead"))
        second = asyncio.create_task(faremeter.predict(tenant, [[4, 0]], model="moody", **KEY))
        await until(lambda: faremeter.claim_holder(tenant.account_id) != "proc_of_the_dead")
    lost, won = await first, await second
    assert_problem(lost, Expected(503, "claim_lost", hint=False))
    assert won.status_code == 200
    assert [event.id for event in faremeter.events(tenant.account_id)] == [won.json()["id"]]


async def test_an_answer_is_forgotten_after_its_keeping_time(sqlite_url: str, start: Start) -> None:
    async with start(sqlite_url, answer_ttl_h=24) as faremeter:
        tenant = faremeter.tenant()
        first = await faremeter.predict(tenant, **KEY)
        faremeter.clock.advance(timedelta(hours=24, seconds=1))
        again = await faremeter.predict(tenant, **KEY)
        assert again.status_code == 200
        assert "idempotent-replayed" not in again.headers
        assert again.json()["id"] != first.json()["id"]


async def test_a_test_calls_answer_never_serves_a_live_call(faremeter: Installation) -> None:
    live = faremeter.tenant()
    test = faremeter.another_key(live.account_id, live=False)
    assert (await faremeter.predict(test, [ROW], Idempotency_Key="shared")).status_code == 200
    response = await faremeter.predict(live, [ROW], Idempotency_Key="shared")
    assert_problem(response, Expected(422, "idempotency_key_reused", "Idempotency-Key"))
