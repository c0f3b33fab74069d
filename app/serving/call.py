"""A call as it comes in, and the answer as it goes out: free of HTTP, already read from the wire."""

import asyncio
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from app.accounts.account import Principal
from app.charging.claim import StoredAnswer
from app.charging.limits.permit import NO_LIMITS, Permit

JSON_TYPE = "application/json"


@dataclass(frozen=True, slots=True)
class JsonInputs:
    """The `inputs` list of a JSON body: rows of numbers, or `{"b64": …}` images."""

    values: Sequence[Any]


@dataclass(frozen=True, slots=True)
class FileInputs:
    """Encoded image files, from multipart parts or a raw body."""

    files: Sequence[bytes]


@dataclass(slots=True)
class LimitsOfCall:
    """Where admission leaves the call's permit: an answer tells of its limits, whatever became of the call."""

    permit: Permit = NO_LIMITS


@dataclass(frozen=True, slots=True)
class Call:
    """One predict call.

    `request_digest` (32 bytes, empty without a key) tells calls under one idempotency key apart; `deadline_ns` is on
    the clock of `time.perf_counter_ns`; `departure` is done once the client has gone away.
    """

    model: str
    version: int | None
    payload: JsonInputs | FileInputs
    idempotency_key: str | None
    request_digest: bytes
    deadline_ns: int
    departure: "asyncio.Future[None]"
    limits: LimitsOfCall = field(default_factory=LimitsOfCall)


@dataclass(frozen=True, slots=True)
class Answer:
    """What the caller gets. `units` and `amount` repeat what the body says of its usage, in a replay as well."""

    stored: StoredAnswer
    units: int | None = None
    amount: str | None = None
    replayed: bool = False


def digest_of(path: str, principal: Principal, payload: JsonInputs | FileInputs, body: bytes) -> bytes:
    """Return what tells two requests under one idempotency key apart: path, live or test, and inputs.

    A form counts by its files, not by its random boundary; a live call is never answered with a test call's answer.
    """
    digest = hashlib.sha256(f"{path}\n{principal.live}\n{type(payload).__name__}\n".encode())
    for part in payload.files if isinstance(payload, FileInputs) else (body,):
        digest.update(len(part).to_bytes(8, "big"))
        digest.update(part)
    return digest.digest()
