"""Limits over HTTP: set, told in the headers of every answer, and never loosened by who is bound by them."""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from threading import Event
from typing import Any

import pytest
from structlog.testing import capture_logs

from app.accounts.account import Scope
from app.charging import lease_store
from app.charging.claim import Claim, StoredAnswer
from app.charging.limits.second_looks import LOOKS_PER_MINUTE_MAX
from app.charging.limits.sole_process import OtherServerLives
from app.database import Database
from app.ids import new_id
from app.main import create_app
from app.settings import Settings
from tests.api.conversation import Conversation
from tests.api.gate import GATE
from tests.api.installation import ROW, Installation, Tenant, json_of, until
from tests.api.problems import Expected, assert_problem
from tests.builders import NOON

NONE = {"requests_per_minute": None, "units_per_minute": None, "concurrency_max": None}
ALL = frozenset({Scope.PREDICT, Scope.KEYS_WRITE})


async def set_limits(faremeter: Installation, tenant: Tenant, **limits: int) -> None:
    """Set the limits of a tenant's key, and let this process notice at once."""
    url = f"/v1/admin/accounts/{tenant.account_id}/keys/{tenant.key_id}/limits"
    answer = await faremeter.http.put(url, json=limits, headers=faremeter.admin().headers)
    assert json_of(answer) == NONE | limits
    faremeter.services.authenticator.forget()


async def test_an_answer_tells_of_its_limits(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    await set_limits(faremeter, tenant, requests_per_minute=100, units_per_minute=10, concurrency_max=4)
    answer = await faremeter.predict(tenant, [ROW] * 3)
    assert answer.headers["ratelimit-policy"] == (
        '"key_requests_per_minute";q=100;w=60, "key_units_per_minute";q=10;qu="units";w=60, '
        '"key_concurrency_max";q=4;qu="concurrent-requests"'
    )
    assert (
        answer.headers["ratelimit"]
        == '"key_requests_per_minute";r=99;t=60, "key_units_per_minute";r=7;t=60, "key_concurrency_max";r=3'
    )


async def test_an_answer_without_limits_tells_of_none(faremeter: Installation) -> None:
    answer = await faremeter.predict(faremeter.tenant())
    assert "ratelimit" not in answer.headers
    assert "ratelimit-policy" not in answer.headers


async def test_a_refusal_tells_which_limit_its_size_and_its_reset(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    await set_limits(faremeter, tenant, requests_per_minute=1)
    assert (await faremeter.predict(tenant)).status_code == 200
    answer = await faremeter.predict(tenant)
    body = assert_problem(answer, Expected(429, "rate_limited"))
    assert (body["limit"], body["limit_size"], body["reset_s"]) == ("key_requests_per_minute", 1, 60)
    assert answer.headers["retry-after"] == "60"
    assert answer.headers["ratelimit"] == '"key_requests_per_minute";r=0;t=60'
    assert len(faremeter.events(tenant.account_id)) == 1


async def test_a_call_that_fits_no_minute_is_not_told_to_come_again(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    await set_limits(faremeter, tenant, units_per_minute=3, requests_per_minute=1)
    answer = await faremeter.predict(tenant, [ROW] * 4)
    body = assert_problem(answer, Expected(413, "call_too_large", "inputs"))
    assert (body["limit"], body["limit_size"], body["asked"]) == ("key_units_per_minute", 3, 4)
    assert "retry-after" not in answer.headers
    assert "retry_after_s" not in body
    assert (await faremeter.predict(tenant, [ROW] * 3)).status_code == 200  # nothing was counted


async def test_who_leaves_before_the_model_runs_has_used_no_rate(faremeter: Installation) -> None:
    tenant, leaver = faremeter.tenant(), Conversation(faremeter)
    await set_limits(faremeter, tenant, requests_per_minute=3)
    with GATE.closed():
        neighbour = asyncio.create_task(faremeter.predict(faremeter.tenant(), [[6, 0]], model="moody"))
        await asyncio.to_thread(GATE.wait_until_reached)
        call = leaver.predict(tenant, [[7, 0]], model="moody", key="gone")
        await until(lambda: faremeter.waiting("moody") == 1)
        await leaver.leave()
        await call
    assert (await neighbour).status_code == 200
    answer = await faremeter.predict(tenant)
    assert answer.headers["ratelimit"].startswith('"key_requests_per_minute";r=2')


async def test_what_a_device_has_worked_on_counts_though_it_failed(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    await set_limits(faremeter, tenant, requests_per_minute=3)
    failed = await faremeter.predict(tenant, [[1.0, 0.0]], model="moody")
    assert failed.status_code == 500
    assert failed.headers["ratelimit"].startswith('"key_requests_per_minute";r=2')


async def test_a_repeat_is_answered_beyond_the_limit_and_says_the_same_of_its_use(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    await set_limits(faremeter, tenant, requests_per_minute=1)
    first = await faremeter.predict(tenant, [ROW] * 2, Idempotency_Key="once")
    again = await faremeter.predict(tenant, [ROW] * 2, Idempotency_Key="once")
    assert (again.status_code, again.content) == (200, first.content)
    for name in ("faremeter-units", "faremeter-amount", "content-type"):
        assert again.headers[name] == first.headers[name]
    assert again.headers["idempotent-replayed"] == "true"


async def test_refused_calls_do_not_look_into_the_database_without_end(
    faremeter: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    tenant = faremeter.tenant()
    await set_limits(faremeter, tenant, requests_per_minute=1)
    assert (await faremeter.predict(tenant, Idempotency_Key="answered")).status_code == 200
    gate = faremeter.services.gate
    looks, find_answer = [], gate.find_answer

    async def counted(claim: Claim) -> StoredAnswer | None:
        looks.append(claim.idempotency_key)
        return await find_answer(claim)

    monkeypatch.setattr(gate, "find_answer", counted)
    for number in range(LOOKS_PER_MINUTE_MAX + 20):
        assert (await faremeter.predict(tenant, Idempotency_Key=f"flood {number}")).status_code == 429
    assert len(looks) == LOOKS_PER_MINUTE_MAX
    again = await faremeter.predict(tenant, Idempotency_Key="answered")
    assert (again.status_code, again.headers["idempotent-replayed"]) == (200, "true")


async def test_what_the_model_refuses_tells_of_its_limits_too(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    await set_limits(faremeter, tenant, concurrency_max=1)
    answer = await faremeter.predict(tenant, [[1.0, 0.0]], model="moody")
    assert answer.status_code == 500
    assert answer.headers["ratelimit-policy"] == '"key_concurrency_max";q=1;qu="concurrent-requests"'
    assert (await faremeter.predict(tenant)).status_code == 200  # its slot is free again


async def test_a_repeat_gets_its_answer_and_counts_for_nothing(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    await set_limits(faremeter, tenant, requests_per_minute=3)
    first = await faremeter.predict(tenant, Idempotency_Key="once")
    for _ in range(5):
        again = await faremeter.predict(tenant, Idempotency_Key="once")
        assert (again.status_code, again.content) == (200, first.content)
        assert again.headers["ratelimit"].startswith('"key_requests_per_minute";r=2')
    assert (await faremeter.predict(tenant)).headers["ratelimit"].startswith('"key_requests_per_minute";r=1')


async def test_limits_of_account_and_model_are_set_and_read(faremeter: Installation) -> None:
    account = faremeter.tenant().account_id
    for url in (f"/v1/admin/accounts/{account}/limits", "/v1/admin/models/vgg16-digits/limits"):
        assert json_of(await faremeter.http.get(url, headers=faremeter.admin().headers)) == NONE
        await faremeter.http.put(url, json={"units_per_minute": 9}, headers=faremeter.admin().headers)
        found = json_of(await faremeter.http.get(url, headers=faremeter.admin().headers))
        assert found == NONE | {"units_per_minute": 9}
        await faremeter.http.put(url, json={}, headers=faremeter.admin().headers)


async def test_a_model_that_never_was_has_no_limits(faremeter: Installation) -> None:
    url, headers = "/v1/admin/models/vgg61/limits", faremeter.admin().headers
    refused = await faremeter.http.put(url, json={"units_per_minute": 9}, headers=headers)
    body = assert_problem(refused, Expected(422, "limit_of_no_model", "model"))
    assert "linear, moody, vgg16, vgg16-digits" in body["hint"]
    assert (await faremeter.http.put(url, json={}, headers=headers)).status_code == 200  # none are set, and none were
    price = '[[price]]\nmodel = "vgg61"\nmeter = "units"\nscheme = "per_unit"\nunit_price = "1"\n'
    faremeter.services.plans.publish(
        f'key = "to-come"\ncurrency = "USD"\nbilling = "postpaid"\nbase_fee = "0"\n{price}'
    )
    assert (await faremeter.http.put(url, json={"units_per_minute": 9}, headers=headers)).status_code == 200


async def test_a_key_is_made_with_limits(faremeter: Installation) -> None:
    tenant = faremeter.tenant(scopes=ALL)
    body = {"limits": {"requests_per_minute": 2}}
    new = json_of(await faremeter.http.post("/v1/keys", json=body, headers=tenant.headers))
    answer = await faremeter.predict(replace(tenant, secret=new["secret"], key_id=new["id"]))
    assert answer.headers["ratelimit"].startswith('"key_requests_per_minute";r=1')


async def test_a_key_with_limits_gives_no_higher_ones_and_hands_its_own_on(faremeter: Installation) -> None:
    tenant = faremeter.tenant(scopes=ALL)
    free = faremeter.another_key(tenant.account_id, scopes=ALL)
    await set_limits(faremeter, tenant, requests_per_minute=10)
    refused = Expected(403, "limits_loosened", where="limits")
    for limits in ({"requests_per_minute": 11}, {}, {"units_per_minute": 5}):
        own = await faremeter.http.put(f"/v1/keys/{tenant.key_id}/limits", json=limits, headers=tenant.headers)
        assert_problem(own, refused)
        assert_problem(await faremeter.http.post("/v1/keys", json={"limits": limits}, headers=tenant.headers), refused)
    rotated = await faremeter.http.post(f"/v1/keys/{free.key_id}/rotate", json={}, headers=tenant.headers)
    assert_problem(rotated, refused)
    heir = json_of(await faremeter.http.post("/v1/keys", json={}, headers=tenant.headers))
    inherited = await faremeter.http.get(f"/v1/keys/{heir['id']}/limits", headers=tenant.headers)
    assert json_of(inherited) == NONE | {"requests_per_minute": 10}
    tighter = await faremeter.http.put(
        f"/v1/keys/{tenant.key_id}/limits", json={"requests_per_minute": 9}, headers=tenant.headers
    )
    assert tighter.status_code == 200


@pytest.mark.parametrize("value", [0, -1, 10**9 + 1, 1.5, "5", True])
async def test_what_is_no_limit_is_refused(faremeter: Installation, value: object) -> None:
    tenant = faremeter.tenant(scopes=ALL)
    url = f"/v1/keys/{tenant.key_id}/limits"
    answer = await faremeter.http.put(url, json={"units_per_minute": value}, headers=tenant.headers)
    assert answer.status_code == 400


async def test_a_server_that_is_not_alone_says_so_in_one_line(
    settings_on: Callable[..., Settings], sqlite_url: str
) -> None:
    database, lease_id, done = Database(sqlite_url), new_id("proc"), Event()

    def live() -> None:
        while not done.wait(0.05):
            with database.transaction() as session:
                lease_store.renew_lease(session, lease_id, host="elsewhere", pid=77, started_at=NOON)

    other = asyncio.create_task(asyncio.to_thread(live))
    await asyncio.sleep(0.5)
    app = create_app(settings_on(sqlite_url, process_lease_s=3))
    told: list[Any] = []

    async def begin() -> dict[str, str]:
        return {"type": "lifespan.startup"}

    async def tell(message: Any) -> None:
        told.append(message)

    with capture_logs() as logs, pytest.raises(OtherServerLives):
        await app({"type": "lifespan", "asgi": {"version": "3.0"}, "state": {}}, begin, tell)
    assert told == [{"type": "lifespan.startup.failed", "message": ""}]  # or the server would log a traceback
    done.set()
    await other
    (reason,) = [line["reason"] for line in logs if line["log_level"] == "critical"]
    assert reason.startswith("another server (process 77 on elsewhere) serves from this database")
    assert reason.endswith("(set FAREMETER_REDIS_URL for several, stop the other one, or set FAREMETER_LIMITS=off)")
