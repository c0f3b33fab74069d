"""Errors that a caller may see: what went wrong, where, and how to mend it.

A subclass stands beside the code that raises it and names a stable `code`; only `http_status.py` knows HTTP numbers.
"""

from enum import StrEnum
from typing import ClassVar


class Kind(StrEnum):
    """The nature of an error, independent of any protocol."""

    INVALID = "invalid"
    UNAUTHENTICATED = "unauthenticated"
    PAYMENT_REQUIRED = "payment_required"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    NOT_OFFERED = "not_offered"
    CONFLICT = "conflict"
    TOO_LARGE = "too_large"
    UNSUPPORTED_MEDIA = "unsupported_media"
    UNPROCESSABLE = "unprocessable"
    RATE_LIMITED = "rate_limited"
    FAILED = "failed"
    UNAVAILABLE = "unavailable"
    DEADLINE = "deadline"


class AppError(Exception):
    """An error with a stable code and a text that is safe to show.

    `where` points into the input (`inputs[3]`, `price[1].tier[0]`), `hint` says how to mend it, `facts` are further
    machine-readable members (a limit, its size, its reset).
    """

    kind: ClassVar[Kind] = Kind.FAILED
    code: ClassVar[str] = "failed"

    def __init__(
        self,
        detail: str,
        *,
        where: str | None = None,
        hint: str | None = None,
        retry_after_s: int | None = None,
        **facts: str | int | None,
    ) -> None:
        super().__init__(detail)
        self.detail = detail
        self.where = where
        self.hint = hint
        self.retry_after_s = retry_after_s
        self.facts = facts

    def __str__(self) -> str:
        place = f"{self.where}: " if self.where else ""
        mend = f" ({self.hint})" if self.hint else ""
        return f"{place}{self.detail}{mend}"


class Invalid(AppError):
    """The input itself is wrong; sending it again cannot help."""

    kind = Kind.INVALID
    code = "invalid"


class NotFound(AppError):
    """The named thing does not exist, or belongs to somebody else (the two are never told apart)."""

    kind = Kind.NOT_FOUND
    code = "not_found"


class Conflict(AppError):
    """The request contradicts what is already recorded."""

    kind = Kind.CONFLICT
    code = "conflict"


class Forbidden(AppError):
    """The caller is known and may not do this."""

    kind = Kind.FORBIDDEN
    code = "forbidden"


class Unavailable(AppError):
    """Nothing is wrong with the request; it cannot be served now and nothing was charged."""

    kind = Kind.UNAVAILABLE
    code = "unavailable"


class Internal(AppError):
    """The program failed in a way that nobody foresaw."""

    code = "internal"


class InvariantViolation(AppError):
    """The program contradicts its own books. Raised, never asserted: `python -O` must not remove it."""

    kind = Kind.FAILED
    code = "invariant_violation"
