"""Logs: JSON lines, and no secret in any of them, wherever in a line it hides."""

import json
import logging
from collections.abc import Iterator

import pytest
import structlog
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.key_secret import new_secret
from app.telemetry import configure_logging, get_logger, redact

SECRET = new_secret(live=True)
DATABASE_URL = "postgresql+psycopg://faremeter:hunter2hunter2@db:5432/books?sslmode=require"
LEAKS = [
    pytest.param(f"key={SECRET}", id="key"),
    pytest.param(f"Authorization: Bearer {SECRET}", id="bearer key"),
    "authorization: basic cm9vdEBleGFtcGxlLmNvbTpodW50ZXIyaHVudGVyMg==",
    "Bearer eyJhbGciOi.J9~x-y_z",
    "Basic cm9vdEBl",
    DATABASE_URL,
    "redis://:hunter2hunter2@cache:6379/0",
    "could not connect to postgresql://a:hunter2hunter2@h1/x, nor to postgresql://b:hunter2hunter2@h2/x",
]
MATERIAL = (SECRET[8:], "cm9vdEBl", "eyJhbGciOi", "J9~x-y_z", "hunter2")


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


def line_of(capsys: pytest.CaptureFixture[str]) -> dict[str, object]:
    captured = capsys.readouterr()
    assert captured.out == ""
    (line,) = captured.err.splitlines()
    assert not [material for material in MATERIAL if material in line]
    found = json.loads(line)
    assert isinstance(found, dict)
    return found


@pytest.mark.parametrize("text", LEAKS)
def test_a_secret_is_replaced(text: str) -> None:
    assert not [material for material in MATERIAL if material in redact(text)]
    assert "[redacted]" in redact(text)


@pytest.mark.parametrize(
    "text",
    [
        "http://127.0.0.1:8000/v1/models",
        "mail ada@example.com",
        "GET https://h/x?at=12:30 by a@b",
        "fm_live_",
        "",
        "the header holds no Bearer key",
        "this is not a bearer token.",
        "Basic authentication, or Bearer",
    ],
)
def test_what_is_no_secret_stays(text: str) -> None:
    assert redact(text) == text


AROUND = st.lists(st.sampled_from(["Bearer ", "basic ", "x", " ", "://", "u:p", ":", "@", "fm_test_", '"', "\n"]))


@given(AROUND.map("".join), AROUND.map("".join))
def test_no_key_survives_whatever_stands_around_it(before: str, after: str) -> None:
    assert SECRET[8:] not in redact(before + SECRET + after)


@pytest.mark.parametrize("text", LEAKS)
def test_no_secret_reaches_a_line_as_text_in_a_nest_or_by_its_repr(
    capsys: pytest.CaptureFixture[str], text: str
) -> None:
    class Carrier:
        def __repr__(self) -> str:
            return f"Carrier({text})"

    configure_logging("info")
    get_logger("app.test").info(text, headers={"authorization": text}, seen=[text, ("x", text)], carrier=Carrier())
    found = line_of(capsys)
    assert found["level"] == "info"


@pytest.mark.parametrize("text", LEAKS)
def test_no_secret_reaches_a_line_in_a_traceback(capsys: pytest.CaptureFixture[str], text: str) -> None:
    configure_logging("info")

    def fail() -> None:
        raise RuntimeError(text)

    try:
        fail()
    except RuntimeError:
        get_logger("app.test").exception("failed")
    assert "Traceback" in str(line_of(capsys)["exception"])


def test_a_librarys_line_is_json_and_redacted_too(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info")
    logging.getLogger("some.package").warning("connecting with %s", DATABASE_URL)
    assert str(line_of(capsys)["event"]).startswith("connecting with postgresql+psycopg://")


def test_a_line_carries_what_was_bound_to_the_request(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info")
    structlog.contextvars.bind_contextvars(request_id="req_1")
    get_logger("app.test").info('say "hi"\nyou', count=3)
    found = line_of(capsys)
    assert (found["request_id"], found["event"], found["count"]) == ("req_1", 'say "hi"\nyou', 3)
    assert str(found["timestamp"]).endswith("Z")


def test_a_line_below_the_level_is_not_written(capsys: pytest.CaptureFixture[str]) -> None:
    configure_logging("info")
    get_logger("app.test").debug("noise")
    assert capsys.readouterr().err == ""
