"""Clients that leave at a random stage of their call, on sockets of their own, and what each of them saw."""

import asyncio
import json
import random
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import urlsplit
from uuid import uuid4

from tests.scenarios.server_process import Tenant
from tests.scenarios.wayward import JSON, PREDICT, Wish, body_of

_LINGER_S = 0.04  # about as long as a call takes: some leave before their batch, some in it, some while it is recorded
_ANSWER_S_MAX = 60


class Stage(StrEnum):
    """How far a client goes before it leaves."""

    CONNECTED = "connected"
    HALF_HEADERS = "half of the headers sent"
    HEADERS = "headers sent"
    HALF_BODY = "half of the body sent"
    SENT = "all sent"
    LINGERED = "all sent, and a moment waited"
    ANSWERED = "never"


WHOLE = frozenset({Stage.SENT, Stage.LINGERED, Stage.ANSWERED})
_LIKELY = {stage: 4 if stage in WHOLE else 1 for stage in Stage}


@dataclass(frozen=True, slots=True)
class Plan:
    """What a client is going to do; `aborts` resets the connection, where others close it."""

    key: str | None
    wish: Wish
    stage: Stage
    linger_s: float
    aborts: bool


@dataclass(frozen=True, slots=True)
class Seen:
    """What a client saw: `status` is 0 where it left before its answer."""

    plan: Plan
    status: int = 0
    body: bytes = b""

    @property
    def event_id(self) -> str:
        return str(json.loads(self.body)["id"])


def plans(count: int, *, seed: int, dawdlers: int = 0) -> list[Plan]:
    """Return what so many clients do; so many of them ask the model to dawdle, which holds up all who wait then."""
    chance = random.Random(seed)
    wishes = [Wish.ANSWER] * 6 + [Wish.RAISE, Wish.NAN, Wish.INFINITY]
    every = count // dawdlers if dawdlers else count + 1
    return [
        Plan(
            key=None if chance.random() < 0.2 else str(uuid4()),
            wish=chance.choice(wishes) if place % every else Wish.DAWDLE,
            stage=chance.choices(list(Stage), list(_LIKELY.values()))[0] if place % every else Stage.ANSWERED,
            linger_s=chance.uniform(0, _LINGER_S),
            aborts=chance.random() < 0.5,
        )
        for place in range(1, count + 1)
    ]


async def follow(url: str, tenant: Tenant, all_plans: Sequence[Plan], *, clients: int) -> list[Seen]:
    """Let so many clients at once do what is planned, one after the other."""
    left, seen = list(reversed(all_plans)), []

    async def client() -> None:
        while left:
            seen.append(await _follow(url, tenant, left.pop()))

    await asyncio.gather(*(client() for _ in range(clients)))
    return seen


async def _follow(url: str, tenant: Tenant, plan: Plan) -> Seen:
    address = urlsplit(url)
    reader, writer = await asyncio.open_connection(address.hostname, address.port)
    try:
        writer.write(_sent(plan, tenant))
        await writer.drain()
        if plan.stage is Stage.ANSWERED:
            return _seen(plan, await asyncio.wait_for(reader.read(), timeout=_ANSWER_S_MAX))
        if plan.stage is Stage.LINGERED:
            await asyncio.sleep(plan.linger_s)
        return Seen(plan)
    finally:
        if plan.aborts:
            writer.transport.abort()
        else:
            writer.close()


def _sent(plan: Plan, tenant: Tenant) -> bytes:
    """Return the bytes that a client sends before it leaves."""
    body = body_of(plan.wish)
    fields = {**tenant.headers, **JSON, "Host": "localhost", "Connection": "close"}
    fields |= {"Content-Length": str(len(body))} | ({"Idempotency-Key": plan.key} if plan.key else {})
    lines = [f"POST {PREDICT} HTTP/1.1", *(f"{name}: {value}" for name, value in fields.items())]
    head = "\r\n".join([*lines, "", ""]).encode()
    match plan.stage:
        case Stage.CONNECTED:
            return b""
        case Stage.HALF_HEADERS:
            return head[: len(head) // 2]
        case Stage.HEADERS:
            return head
        case Stage.HALF_BODY:
            return head + body[: len(body) // 2]
        case _:
            return head + body


def _seen(plan: Plan, answer: bytes) -> Seen:
    head, _, body = answer.partition(b"\r\n\r\n")
    return Seen(plan, int(head.split(b" ", 2)[1]), body)
