"""A load generator: N keep-alive connections that each send one request, read its answer, and send the next.

Runs in a process of its own, pinned to a core of its own, so that it never takes time from what it measures. Loopback
only, HTTP/1.1, answers with a Content-Length. Prints one JSON object.
"""

import argparse
import asyncio
import json
import os
import sys
import time
from dataclasses import asdict, dataclass
from typing import cast

import uvloop

_HEAD_END = b"\r\n\r\n"
_CONTENT_LENGTH = b"content-length:"


@dataclass(frozen=True, slots=True)
class Load:
    """What is sent, how often at once, and for how long: `warm_up_s` uncounted, then `measure_s`."""

    port: int
    path: str
    headers: dict[str, str]
    body: bytes
    connections: int
    warm_up_s: float
    measure_s: float

    def request(self) -> bytes:
        headers = {
            "Host": f"127.0.0.1:{self.port}",
            "Content-Type": "application/json",
            "Content-Length": str(len(self.body)),
            **self.headers,
        }
        lines = [f"POST {self.path} HTTP/1.1", *(f"{name}: {value}" for name, value in headers.items())]
        return "\r\n".join(lines).encode() + _HEAD_END + self.body


@dataclass(frozen=True, slots=True)
class Measurement:
    """What came back. `answers` counts every 200, warm-up included; the rest is about the measured time only."""

    connections: int
    answers: int
    failures: int
    requests_per_s: float
    p50_us: int
    p99_us: int
    max_us: int


class Connection(asyncio.Protocol):
    """One connection of the load: the next request leaves when the last answer is complete."""

    def __init__(self, request: bytes, stop_ns: int) -> None:
        self._request = request
        self._stop_ns = stop_ns
        self._buffer = bytearray()
        self._sent_ns = 0
        self._transport: asyncio.Transport
        self.ended: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.answers: list[tuple[int, int, int]] = []  # (status, end in ns, latency in ns)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's own class, with the same methods
        self._send()

    def data_received(self, data: bytes) -> None:
        self._buffer += data
        length = _answer_length(self._buffer)
        if length is None or len(self._buffer) < length:
            return
        now_ns = time.perf_counter_ns()
        self.answers.append((int(self._buffer[9:12]), now_ns, now_ns - self._sent_ns))
        del self._buffer[:length]
        if now_ns < self._stop_ns:
            self._send()
        else:
            self._transport.close()

    def connection_lost(self, _exc: Exception | None) -> None:
        if not self.ended.done():
            self.ended.set_result(None)

    def _send(self) -> None:
        self._sent_ns = time.perf_counter_ns()
        self._transport.write(self._request)


def _answer_length(buffer: bytearray) -> int | None:
    """Return how long the answer at the buffer's start is, or None while its head is incomplete."""
    head_end = buffer.find(_HEAD_END)
    if head_end < 0:
        return None
    head = bytes(buffer[:head_end]).lower()
    at = head.index(_CONTENT_LENGTH) + len(_CONTENT_LENGTH)
    return head_end + len(_HEAD_END) + int(head[at:].partition(b"\r\n")[0])


async def run(load: Load) -> Measurement:
    """Send the load and return what was measured. Raises OSError where nobody listens."""
    loop = asyncio.get_running_loop()
    start_ns = time.perf_counter_ns() + int(load.warm_up_s * 1e9)
    stop_ns = start_ns + int(load.measure_s * 1e9)
    request = load.request()
    connections = []
    for _ in range(load.connections):
        _, connection = await loop.create_connection(lambda: Connection(request, stop_ns), "127.0.0.1", load.port)
        connections.append(connection)
    await asyncio.wait_for(asyncio.gather(*(each.ended for each in connections)), load.warm_up_s + load.measure_s + 60)
    return _summary(load, [answer for each in connections for answer in each.answers], start_ns, stop_ns)


def _summary(load: Load, answers: list[tuple[int, int, int]], start_ns: int, stop_ns: int) -> Measurement:
    latencies = sorted(
        latency for status, end_ns, latency in answers if status == 200 and start_ns <= end_ns < stop_ns
    ) or [0]
    good = sum(status == 200 for status, _, _ in answers)

    def percentile_us(percent: int) -> int:
        return latencies[min(len(latencies) - 1, len(latencies) * percent // 100)] // 1000

    return Measurement(
        connections=load.connections,
        answers=good,
        failures=len(answers) - good,
        requests_per_s=round(len(latencies) / load.measure_s, 1),
        p50_us=percentile_us(50),
        p99_us=percentile_us(99),
        max_us=latencies[-1] // 1000,
    )


def main() -> None:
    """Read a Load as JSON from stdin, pin this process to `--core`, and print the Measurement as JSON."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--core", type=int, required=True)
    core = parser.parse_args().core
    os.sched_setaffinity(0, {core})
    document = json.load(sys.stdin)
    load = Load(**{**document, "body": document["body"].encode()})
    print(json.dumps(asdict(uvloop.run(run(load)))))


if __name__ == "__main__":
    main()
