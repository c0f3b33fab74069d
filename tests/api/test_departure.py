"""A client that leaves before its batch starts pays nothing; one that leaves later is billed once and can come back."""

import asyncio
import json

from tests.api.conversation import Conversation
from tests.api.gate import GATE
from tests.api.installation import ROW, Installation, until


async def test_who_leaves_before_the_batch_pays_nothing(faremeter: Installation) -> None:
    tenant, leaver = faremeter.tenant(), Conversation(faremeter)
    with GATE.closed():
        neighbour = asyncio.create_task(faremeter.predict(faremeter.tenant(), [[6, 0]], model="moody"))
        await asyncio.to_thread(GATE.wait_until_reached)
        call = leaver.predict(tenant, [[7, 0]], model="moody", key="gone")
        await until(lambda: faremeter.waiting("moody") == 1)
        await leaver.leave()
        await call  # ended although the device is still busy: it never ran
    assert (await neighbour).status_code == 200
    assert leaver.status == 503
    await faremeter.settled()
    traces = faremeter.traces(tenant.account_id)
    assert (traces.events, traces.rollups, traces.claims) == (0, 0, 0)
    again = await faremeter.predict(tenant, [[7, 0]], model="moody", Idempotency_Key="gone")
    assert again.status_code == 200
    assert "idempotent-replayed" not in again.headers


async def test_who_leaves_during_the_batch_is_billed_once_and_gets_the_answer_later(faremeter: Installation) -> None:
    tenant, leaver = faremeter.tenant(), Conversation(faremeter)
    with GATE.closed():
        call = leaver.predict(tenant, [[7, 0]], model="moody", key="back")
        await asyncio.to_thread(GATE.wait_until_reached)
        await leaver.leave()
    await call
    (event,) = faremeter.events(tenant.account_id)
    assert (event.delivered, event.units, event.amount_nanos) == (False, 1, 250_000_000)
    repeat = await faremeter.http.post(
        "/v1/models/moody/predict",
        content=json.dumps({"inputs": [[7, 0]]}).encode(),
        headers=tenant.headers | {"Idempotency-Key": "back", "Content-Type": "application/json"},
    )
    assert repeat.headers["idempotent-replayed"] == "true"
    assert (repeat.json()["id"], repeat.json()["outputs"]) == (event.id, [{"echo": 7.0}])
    assert len(faremeter.events(tenant.account_id)) == 1


async def test_who_leaves_while_sending_is_not_served(faremeter: Installation) -> None:
    tenant, leaver = faremeter.tenant(), Conversation(faremeter)
    half = json.dumps({"inputs": [ROW]}).encode()[:20]
    leaver.parts = [{"type": "http.request", "body": half, "more_body": True}]
    call = leaver.start("/v1/models/linear/predict", tenant, {"Idempotency-Key": "half"})
    await leaver.leave()
    await call
    assert leaver.status == 400
    await faremeter.settled()
    traces = faremeter.traces(tenant.account_id)
    assert (traces.events, traces.claims) == (0, 0)
