"""What every request passes: its id, its problem where anything goes wrong, and no secret in any log."""

import asyncio
import io
import logging
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from app.telemetry import configure_logging
from tests.api.conversation import Conversation
from tests.api.installation import ROW, Installation
from tests.api.problems import Expected, assert_problem

CANARY = "fm_live_0Canary0Canary0Canary0Canary0Canary0"


@pytest.mark.parametrize("path", ["/nothing", "/v1", "/v2", "/v1/models/", "/v1/models/linear/predict/", "/%2e%2e/x"])
async def test_an_unknown_route_is_a_problem(faremeter: Installation, path: str) -> None:
    assert_problem(await faremeter.http.get(path), Expected(404, "route_not_found"))


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("GET", "/v1/models/linear/predict", "POST"),
        ("DELETE", "/v1/models/linear/predict", "POST"),
        ("PATCH", "/v1/usage", "GET"),
        ("OPTIONS", "/v1/plan", "GET"),
        ("TRACE", "/livez", "GET"),
    ],
)
async def test_a_wrong_method_is_a_problem_that_names_the_right_one(
    faremeter: Installation, method: str, path: str, allowed: str
) -> None:
    response = await faremeter.http.request(method, path)
    assert_problem(response, Expected(405, "method_not_allowed"))
    assert response.headers["allow"] == allowed


async def test_a_bug_is_a_problem_that_tells_nothing(faremeter: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise RuntimeError(f"boom {CANARY}")

    monkeypatch.setattr(faremeter.services.engine, "catalogue", broken)
    log = io.StringIO()
    with logged_to(log, monkeypatch):
        response = await faremeter.http.get("/readyz")
    assert_problem(response, Expected(500, "internal"))
    assert "boom" not in response.text
    assert "boom" in log.getvalue()
    assert "0Canary0" not in log.getvalue()


async def test_a_bug_during_a_call_frees_its_key(faremeter: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    tenant = faremeter.tenant()
    with monkeypatch.context() as patched:
        patched.setattr(faremeter.services.engine, "submit", lambda _job: 1 // 0)
        response = await faremeter.predict(tenant, Idempotency_Key="bug")
        assert_problem(response, Expected(500, "internal"))
    await faremeter.settled()
    assert faremeter.traces(tenant.account_id).claims == 0
    assert (await faremeter.predict(tenant, Idempotency_Key="bug")).status_code == 200


async def test_no_secret_reaches_a_log_or_an_answer(faremeter: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    http, log = faremeter.http, io.StringIO()
    predict = "/v1/models/linear/predict"
    with logged_to(log, monkeypatch):
        responses = [
            await http.post(predict, headers={"Authorization": f"Bearer {CANARY}"}, json={"inputs": [ROW]}),
            await http.post(predict, headers={"X-API-Key": CANARY}, json={}),
            await http.post(f"{predict}?api_key={CANARY}"),
            await http.post(f"{predict}?note={CANARY}"),
            await http.get(f"/v1/models/{CANARY}", headers=faremeter.tenant().headers),
            await http.post(f"/v1/models/{CANARY}/predict", headers=faremeter.tenant().headers, json={"inputs": [ROW]}),
            await http.get(f"/{CANARY}"),
            await http.delete(f"/v1/keys/{CANARY}", headers=faremeter.tenant().headers),
            await http.post(predict, headers=faremeter.tenant().headers, json={"inputs": [], CANARY: 1}),
            await http.post("/v1/keys", headers=faremeter.tenant().headers, json={CANARY: 1}),
            await http.post("/v1/keys", headers=faremeter.tenant().headers, json={"scopes": [CANARY]}),
            await http.get(f"/v1/usage?tz=x{CANARY}", headers=faremeter.tenant().headers),
        ]
    for response in responses:
        assert 400 <= response.status_code < 500
        assert "0Canary0" not in response.text
    assert "0Canary0" not in log.getvalue()
    assert log.getvalue().count('"event": "refused"') == len(responses)


@contextmanager
def logged_to(log: io.StringIO, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """Send the log, as the server writes it, into a text for the time of a block."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    with monkeypatch.context() as patched:
        patched.setattr(sys, "stderr", log)
        configure_logging("info")
        yield
    root.handlers[:] = handlers
    root.setLevel(level)


class Flood(Conversation):
    """A client that sends more than the limit and then waits for the answer, as a client does."""

    async def receive(self) -> Any:
        if not self.parts:
            self.noticed.set()
        return await super().receive()


async def test_an_overlong_last_part_is_answered_at_once(faremeter: Installation) -> None:
    flood = Flood(faremeter)
    part = b" " * (17 * 2**20)
    flood.parts = [
        {"type": "http.request", "body": part, "more_body": True},
        {"type": "http.request", "body": part, "more_body": False},
    ]
    await asyncio.wait_for(flood.start("/v1/models/linear/predict", faremeter.tenant(), {}), timeout=30)
    assert flood.status == 413


async def test_a_client_that_stops_in_the_middle_of_too_much_gets_its_answer(
    faremeter: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.api.middleware._DRAIN_S_MAX", 0.05)
    flood = Flood(faremeter)
    flood.parts = [{"type": "http.request", "body": b" " * (33 * 2**20), "more_body": True}]
    await asyncio.wait_for(flood.start("/v1/models/linear/predict", faremeter.tenant(), {}), timeout=30)
    assert flood.status == 413
