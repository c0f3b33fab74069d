"""The three trials: kills under load, callers that hang up and repeat, and a hundred calls on a budget for ten."""

import asyncio
import random
from dataclasses import dataclass
from uuid import uuid4

import httpx

from benchmarks.comparison.caller import Seen, call, hang_up, repeat
from benchmarks.comparison.subject import Subject
from tests.scenarios.server_process import http_client

CLIENTS = 64
PLENTY = 10_000_000
BUDGET_CALLS, CONCURRENT_CALLS = 10, 100
_ANSWERS_BEFORE_KILL = (200, 800)
_LOAD_S_MAX = 60
_HANG_UP_S = (0.0, 0.5)


@dataclass(frozen=True, slots=True)
class Bill:
    """What callers saw beside what is billed, all in calls.

    `unbilled`: answered with a 200, and on no bill. `unanswered`: on the bill, and never answered, repeats included.
    `twice`: on the bill more than once.
    """

    answered: int
    broken: int
    unbilled: int
    unanswered: int
    twice: int


@dataclass(frozen=True, slots=True)
class Cap:
    """How many of the concurrent calls succeeded, the most and the sum over the rounds, and how many should have."""

    rounds: int
    allowed: int
    succeeded: int
    succeeded_max: int


async def kills(subject: Subject, count: int, chance: random.Random) -> Bill:
    """Kill the server under load that many times; after each restart the callers whose connection broke repeat."""
    secret, seen = subject.open_account(PLENTY), Seen()
    subject.start()
    for _ in range(count):
        broken = await _load_until_killed(subject, secret, seen, chance.randint(*_ANSWERS_BEFORE_KILL))
        subject.start()
        await repeat(subject, secret, broken, seen)
    return _bill(subject, seen)


async def hang_ups(subject: Subject, calls: int, chance: random.Random) -> Bill:
    """Let callers hang up on each call, before or after its answer is ready, and repeat it until it is answered."""
    secret, seen, already = subject.open_account(PLENTY), Seen(), set(subject.billed())
    work = [uuid4().hex for _ in range(calls)]

    async def client() -> None:
        while work:
            key = work.pop()
            await hang_up(subject, secret, key, after_s=chance.uniform(*_HANG_UP_S))
            seen.broken.add(key)
            await repeat(subject, secret, [key], seen)

    await asyncio.gather(*(client() for _ in range(CLIENTS)))
    return _bill(subject, seen, already)


async def cap(subject: Subject, rounds: int) -> Cap:
    """Send all calls at once on a fresh account whose budget is for ten, again and again."""
    succeeded = []
    for _ in range(rounds):
        secret = subject.open_account(BUDGET_CALLS)
        async with http_client(subject.url) as http:
            calls = (call(http, subject, secret, uuid4().hex) for _ in range(CONCURRENT_CALLS))
            answers = await asyncio.gather(*calls)
        succeeded.append(sum(answer.status_code == 200 for answer in answers))
    return Cap(rounds, BUDGET_CALLS * rounds, sum(succeeded), max(succeeded))


async def _load_until_killed(subject: Subject, secret: str, seen: Seen, answers: int) -> list[str]:
    """Send calls from all clients and kill the server after that many answers; return the calls that broke."""
    broken, enough, target = list[str](), asyncio.Event(), len(seen.answered) + answers

    async def client() -> None:
        async with http_client(subject.url) as http:
            while True:
                key = uuid4().hex
                try:
                    answer = await call(http, subject, secret, key)
                except httpx.TransportError:
                    broken.append(key)
                    return
                if answer.status_code != 200:
                    raise RuntimeError(f"{subject.name}: {answer.status_code} {answer.text}")
                seen.answered.add(key)
                if len(seen.answered) >= target:
                    enough.set()

    clients = [asyncio.create_task(client()) for _ in range(CLIENTS)]
    await asyncio.wait_for(enough.wait(), _LOAD_S_MAX)
    subject.kill()
    await asyncio.gather(*clients)
    seen.broken |= set(broken)
    return broken


def _bill(subject: Subject, seen: Seen, already: set[str] | None = None) -> Bill:
    billed = {key: count for key, count in subject.billed().items() if key not in (already or set())}
    return Bill(
        answered=len(seen.answered),
        broken=len(seen.broken),
        unbilled=len(seen.answered - billed.keys()),
        unanswered=len(billed.keys() - seen.answered),
        twice=sum(count > 1 for count in billed.values()),
    )
