"""The real server on loopback: what only happens between a socket and uvicorn."""

import asyncio
import contextlib
import json
import shutil
import socket
import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import uvicorn

from app.accounts.key_secret import new_secret
from app.clock import SystemClock
from app.main import create_app
from app.settings import Settings
from tests.api.installation import ROW, ROW_ANSWER, Installation, Tenant, prepare

PATH = "/v1/models/linear/predict"


class Server:
    """uvicorn with the settings of `faremeter serve`, on a thread of its own."""

    def __init__(self, settings: Settings) -> None:
        self.app = create_app(settings, SystemClock())
        prepare(self.app.state.services)
        config = uvicorn.Config(
            self.app,
            port=0,
            ws="none",
            log_config=None,
            access_log=False,
            server_header=False,
            proxy_headers=False,
            h11_max_incomplete_event_size=64 * 1024,
        )
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._server.run)

    def __enter__(self) -> "Server":
        self._thread.start()
        while not self._server.started:
            assert self._thread.is_alive()
            time.sleep(0.01)
        self.port = self._server.servers[0].sockets[0].getsockname()[1]
        self.url = f"http://127.0.0.1:{self.port}"
        while httpx.get(f"{self.url}/readyz").json()["versions_ready"] < 3:
            time.sleep(0.01)
        return self

    def __exit__(self, *_: object) -> None:
        self._server.should_exit = True
        self._thread.join()

    def exchange(self, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
        """Send raw bytes and return the status, the headers and the body of the first answer."""
        with socket.create_connection(("127.0.0.1", self.port), timeout=60) as connection:
            for part in parts:
                connection.sendall(part)
            return read_answer(connection)


def read_answer(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    reader = connection.makefile("rb")
    status = int(reader.readline().split()[1])
    headers = {}
    while line := reader.readline().strip().decode():
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    return status, headers, reader.read(int(headers.get("content-length", "0")))


@pytest.fixture(scope="module")
def server(
    sqlite_template: Path, tmp_path_factory: pytest.TempPathFactory, settings_on: Callable[..., Settings]
) -> Iterator[Server]:
    file = tmp_path_factory.mktemp("loopback") / "faremeter.db"
    shutil.copyfile(sqlite_template, file)
    with Server(settings_on(f"sqlite:///{file}")) as running:
        yield running


@pytest.fixture
def tenant(server: Server) -> Tenant:
    accounts = Installation(server.app, None, SystemClock())  # type: ignore[arg-type]
    return accounts.tenant()


def head(tenant: Tenant, *lines: str, path: str = PATH) -> bytes:
    """The head of a POST with a key, the further lines in it."""
    first = [f"POST {path} HTTP/1.1", "Host: localhost", "Content-Type: application/json"]
    return "\r\n".join([*first, f"Authorization: Bearer {tenant.secret}", *lines, "", ""]).encode()


def events_of(server: Server, tenant: Tenant) -> list[Any]:
    answer = httpx.get(f"{server.url}/v1/usage/events", headers=tenant.headers)
    data: list[Any] = answer.json()["data"]
    return data


BODY = json.dumps({"inputs": [ROW]}).encode()


def test_a_call_over_a_socket_is_answered(server: Server, tenant: Tenant) -> None:
    answer = httpx.post(server.url + PATH, content=BODY, headers=tenant.headers | {"Content-Type": "application/json"})
    assert answer.json()["outputs"] == [ROW_ANSWER]
    assert [event["id"] for event in events_of(server, tenant)] == [answer.json()["id"]]


def test_a_chunked_body_without_a_length_is_read(server: Server, tenant: Tenant) -> None:
    chunks = b"".join(b"%x\r\n%b\r\n" % (1, BODY[place : place + 1]) for place in range(len(BODY)))
    status, _, body = server.exchange(head(tenant, "Transfer-Encoding: chunked"), chunks, b"0\r\n\r\n")
    assert (status, json.loads(body)["outputs"]) == (200, [ROW_ANSWER])


def test_100_megabytes_are_refused_and_the_sender_hears_why(server: Server, tenant: Tenant) -> None:
    big = b" " * 100_000_000
    answer = httpx.post(server.url + PATH, content=big, headers=tenant.headers | {"Content-Type": "application/json"})
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    assert events_of(server, tenant) == []


def test_a_client_that_asks_before_it_sends_100_megabytes_is_told_no(server: Server, tenant: Tenant) -> None:
    lines = ("Content-Length: 100000000", "Expect: 100-continue")
    status, headers, body = server.exchange(head(tenant, *lines))
    assert (status, json.loads(body)["code"]) == (413, "body_too_large")
    assert headers["connection"] == "close"


def test_a_client_that_asks_before_it_sends_a_call_is_told_to_go_on(server: Server, tenant: Tenant) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head(tenant, f"Content-Length: {len(BODY)}", "Expect: 100-continue"))
        assert connection.recv(64) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(BODY)
        assert read_answer(connection)[0] == 200


def test_a_chunked_body_beyond_the_limit_is_refused(server: Server, tenant: Tenant) -> None:
    chunk = b"100000\r\n" + b" " * 2**20 + b"\r\n"
    status, _, body = server.exchange(head(tenant, "Transfer-Encoding: chunked"), *[chunk] * 40, b"0\r\n\r\n")
    assert (status, json.loads(body)["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "lines",
    [
        ("Content-Length: -5",),
        ("Content-Length: 2a",),
        ("Content-Length: 5", "Content-Length: 6"),
        ("Content-Length: 5", "Transfer-Encoding: chunked"),
        ("Content-Length: 99999999999999999999999999",),
        ("X: " + "a" * 100_000,),
    ],
    ids=["negative", "hexadecimal", "two", "two kinds", "beyond 64 bits", "a header of 100 kB"],
)
def test_a_malformed_head_is_refused(server: Server, tenant: Tenant, lines: tuple[str, ...]) -> None:
    status, _, _ = server.exchange(head(tenant, *lines), b"xxxxx")
    assert 400 <= status < 500
    assert events_of(server, tenant) == []


def test_a_client_that_hangs_up_while_sending_leaves_nothing_behind(server: Server, tenant: Tenant) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head(tenant, f"Content-Length: {len(BODY)}", "Idempotency-Key: half") + BODY[:10])
    with contextlib.suppress(ConnectionResetError):
        answer = httpx.post(
            server.url + PATH,
            content=BODY,
            headers=tenant.headers | {"Content-Type": "application/json", "Idempotency-Key": "half"},
        )
    assert answer.status_code == 200
    assert len(events_of(server, tenant)) == 1


def test_a_refused_call_leaves_its_connection_usable(server: Server, tenant: Tenant) -> None:
    with socket.create_connection(("127.0.0.1", server.port), timeout=60) as connection:
        connection.sendall(head(tenant, "Content-Length: 50000", path="/v1/nowhere") + b"x" * 50_000)
        assert read_answer(connection)[0] == 404
        connection.sendall(head(tenant, f"Content-Length: {len(BODY)}") + BODY)
        assert read_answer(connection)[0] == 200


def test_a_key_made_and_revoked_is_known_and_refused_without_a_restart(server: Server, tenant: Tenant) -> None:
    """The change watch itself, polling."""
    accounts = server.app.state.services.accounts
    new = accounts.create_key(tenant.account_id)
    headers = {"X-API-Key": new.secret}
    assert httpx.get(f"{server.url}/v1/models", headers=headers).status_code == 200
    accounts.revoke_key(tenant.account_id, new.key.id)
    until_s = time.monotonic() + 30
    while httpx.get(f"{server.url}/v1/models", headers=headers).status_code != 401:
        assert time.monotonic() < until_s
    assert httpx.get(f"{server.url}/v1/models", headers={"X-API-Key": new_secret(live=True)}).status_code == 401


def test_thirty_two_clients_at_once_are_all_served(server: Server, tenant: Tenant) -> None:
    async def all_at_once() -> list[httpx.Response]:
        async with httpx.AsyncClient(base_url=server.url, headers=tenant.headers, timeout=60) as http:
            return await asyncio.gather(*(http.post(PATH, json={"inputs": [ROW]}) for _ in range(64)))

    answers = asyncio.run(all_at_once())
    assert {answer.status_code for answer in answers} == {200}
    usage = httpx.get(f"{server.url}/v1/usage", headers=tenant.headers).json()
    assert usage["total"]["units"] == 64
