"""What every refusal must be, whatever was refused."""

from dataclasses import dataclass
from typing import Any

import httpx


@dataclass(frozen=True, slots=True)
class Expected:
    """The problem that a request must get; `where` as it must be, None where there is nothing to point at."""

    status: int
    code: str
    where: str | None = None
    hint: bool = True


def assert_problem(response: httpx.Response, expected: Expected) -> Any:
    """Hold a response to the rules of RFC 9457 and to our own, and return its body."""
    assert response.status_code == expected.status, response.text
    assert response.headers["content-type"] == "application/problem+json"
    body = response.json()
    assert (body["status"], body["code"]) == (expected.status, expected.code)
    assert body.get("where") == expected.where
    assert body["detail"]
    assert bool(body.get("hint")) or not expected.hint
    assert body["request_id"] == response.headers["x-request-id"]
    assert "Traceback" not in response.text
    if expected.status == 401:
        assert response.headers["www-authenticate"].startswith("Bearer")
    return body
