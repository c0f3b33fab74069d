"""A body that never arrives does not hold its connection for ever."""

import asyncio

from tests.api.conversation import Conversation
from tests.installation_fixtures import Start


async def test_a_body_that_trickles_is_given_up_at_the_deadline(sqlite_url: str, start: Start) -> None:
    async with start(sqlite_url, request_deadline_s=1) as faremeter:
        client = Conversation(faremeter)
        client.parts = [{"type": "http.request", "body": b'{"inputs": [', "more_body": True}]
        call = client.start("/v1/models/linear/predict", faremeter.tenant(), {"Idempotency-Key": "slow"})
        await asyncio.wait_for(call, timeout=30)
        assert client.status == 400
        assert b"did not arrive within 1 s" in client.sent[1]["body"]
