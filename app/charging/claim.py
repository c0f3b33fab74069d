"""A claim: the one right to run under an idempotency key."""

from dataclasses import dataclass

from app.accounts.key_secret import refuse_secret
from app.errors import AppError, Conflict, Invalid, Kind

KEY_CHARS_MAX = 255
ANSWER_BYTES_MAX = 2**20


class IdempotencyKeyReused(AppError):
    """The key was used before with another request."""

    kind = Kind.UNPROCESSABLE
    code = "idempotency_key_reused"


class StillRunning(Conflict):
    """The first call with this key has not ended yet."""

    code = "idempotency_key_in_use"


class ClaimLost(AppError):
    """The claim went to another process while this one was silent; that one's result counts."""

    kind = Kind.UNAVAILABLE
    code = "claim_lost"


class AnswerTooLarge(AppError):
    """The answer is larger than what is kept for an idempotency key."""

    kind = Kind.TOO_LARGE
    code = "answer_too_large"


@dataclass(frozen=True, slots=True)
class Claim:
    """One request's claim; `request_digest` (32 bytes) covers route, content type and body."""

    account_id: str
    idempotency_key: str
    request_digest: bytes
    event_id: str


@dataclass(frozen=True, slots=True)
class StoredAnswer:
    """What every repeat of a call gets: status, content type and body."""

    status_code: int
    content_type: str
    body: bytes


def storable(answer: StoredAnswer) -> StoredAnswer:
    """Return the answer. Raises AnswerTooLarge above 1 MiB."""
    if len(answer.body) > ANSWER_BYTES_MAX:
        raise AnswerTooLarge(
            f"the answer has {len(answer.body)} bytes; at most {ANSWER_BYTES_MAX} are kept for an Idempotency-Key",
            hint="send fewer inputs a call",
        )
    return answer


def checked_idempotency_key(text: str) -> str:
    """Return the key. Raises Invalid for an empty, overlong or unprintable one, KeyMisplaced."""
    if not 1 <= len(text) <= KEY_CHARS_MAX or not text.isascii() or not text.isprintable():
        raise Invalid(
            f"an Idempotency-Key has 1 to {KEY_CHARS_MAX} printable ASCII characters",
            where="Idempotency-Key",
            hint="a random UUID is a good one",
        )
    refuse_secret(text, where="Idempotency-Key")
    return text
