"""Every error that the API can answer with: read from the classes that raise them, so that none is forgotten."""

from collections.abc import Iterator
from dataclasses import dataclass

from app.errors import AppError
from app.http_status import STATUS_OF

_NOT_OF_THE_API = ("app.portal", "app.members", "app.outbox", "app.commands", "app.quickstart", "app.training")
_OF_OPERATORS = ("app.members.sign_in", "app.members.throttle")  # they prove themselves to the API by these


@dataclass(frozen=True, slots=True)
class ErrorCode:
    """A stable code, its status, and what it means."""

    code: str
    status: int
    text: str


def error_codes() -> list[ErrorCode]:
    """Return them by status and code; where classes share a code, the first one's words count."""
    found: dict[str, ErrorCode] = {}
    for error in _below(AppError):
        module = error.__module__
        if module.startswith("app.") and (module in _OF_OPERATORS or not module.startswith(_NOT_OF_THE_API)):
            words = (error.__doc__ or "").partition("\n")[0]
            found.setdefault(error.code, ErrorCode(error.code, STATUS_OF[error.kind], words))
    return sorted(found.values(), key=lambda each: (each.status, each.code))


def _below(error: type[AppError]) -> Iterator[type[AppError]]:
    for each in error.__subclasses__():
        yield each
        yield from _below(each)
