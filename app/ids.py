"""Public ids: a prefix that names the kind and a uuid7, so that ids of one kind sort by the time they were made."""

import re
from datetime import UTC, datetime, timedelta

from uuid_utils import uuid7

from app.errors import AppError, Kind

_HEX = re.compile(r"[0-9a-f]{32}")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)


def microseconds(instant: datetime) -> int:
    """Return the exact microseconds of an instant since 1970 (no float in between)."""
    return (instant - _EPOCH) // _MICROSECOND


def new_id(prefix: str, at: datetime | None = None) -> str:
    """Return a fresh id such as `evt_0198c7…`; its time is `at`, or now."""
    value = uuid7() if at is None else uuid7(nanoseconds=microseconds(at) * 1000)
    return f"{prefix}_{value.hex}"


class InvalidCursor(AppError):
    """What is to lead to the next page of a list came from no page of it."""

    kind = Kind.UNPROCESSABLE
    code = "invalid_cursor"


def checked_cursor(prefix: str, cursor: str) -> str:
    """Return a cursor, which is an id of that kind, or nothing for the first page. Raises InvalidCursor."""
    kind, _, value = cursor.partition("_")
    if cursor and not (kind == prefix and _HEX.fullmatch(value)):
        raise InvalidCursor(
            "this is no cursor of this list",
            where="cursor",
            hint="send next_cursor of the page before as it is, or leave it out for the first page",
        )
    return cursor


def id_bound(prefix: str, instant: datetime) -> str:
    """Return the least string above every id made before `instant` (a uuid7 begins with 48 bits of milliseconds)."""
    return f"{prefix}_{microseconds(instant) // 1000:012x}"
