"""A caller: sends a call under its idempotency key, as an SDK does, until it has an answer."""

import asyncio
from dataclasses import dataclass, field

import httpx

from benchmarks.comparison.subject import Subject
from benchmarks.servers import BODY
from tests.scenarios.server_process import http_client

REPEATS_MAX = 200
_PAUSE_S = 0.1


@dataclass(slots=True)
class Seen:
    """What the callers saw: calls that were answered with a 200, and those whose connection broke."""

    answered: set[str] = field(default_factory=set)
    broken: set[str] = field(default_factory=set)


async def call(http: httpx.AsyncClient, subject: Subject, secret: str, key: str) -> httpx.Response:
    """Send one call. Raises httpx.TransportError where the connection breaks."""
    return await http.post(subject.path, content=BODY, headers=_headers(secret, key))


async def hang_up(subject: Subject, secret: str, key: str, *, after_s: float) -> None:
    """Send one whole call, and close the connection that much later, whether or not an answer has come."""
    url = httpx.URL(subject.url)
    _, writer = await asyncio.open_connection(url.host, url.port)
    headers = {"Host": "127.0.0.1", "Content-Length": str(len(BODY)), **_headers(secret, key)}
    lines = [f"POST {subject.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n" + BODY).encode())
    await writer.drain()
    await asyncio.sleep(after_s)
    writer.transport.abort()


async def repeat(subject: Subject, secret: str, keys: list[str], seen: Seen) -> None:
    """Repeat the calls, one after the other, until each has its answer. Raises RuntimeError where one never gets it."""
    async with http_client(subject.url) as http:
        for key in keys:
            for _ in range(REPEATS_MAX):
                answer = await call(http, subject, secret, key)
                if answer.status_code == 200:
                    seen.answered.add(key)
                    break
                if answer.status_code not in {409, 503}:  # the first try still runs, or its process is not yet given up
                    raise RuntimeError(f"{subject.name}: {answer.status_code} {answer.text}")
                await asyncio.sleep(_PAUSE_S)
            else:
                raise RuntimeError(f"{subject.name}: {key} was never answered")


def _headers(secret: str, key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {secret}", "Idempotency-Key": key, "Content-Type": "application/json"}
