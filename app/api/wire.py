"""How things look on the wire: instants, money, pages."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Any, Generic, TypeVar, overload

from pydantic import Field
from starlette.responses import Response
from typing_extensions import TypedDict

from app.metering.meter import Quantities

Item = TypeVar("Item")
Shown = TypeVar("Shown")
CSV_TYPE = "text/csv; charset=utf-8"
CSV_RESPONSES: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


class Page(TypedDict, Generic[Shown]):
    """One page of a list."""

    data: list[Shown]
    next_cursor: Annotated[str | None, Field(description="send it as `cursor` for the next page; null: the last one")]


@overload
def instant(value: datetime) -> str: ...


@overload
def instant(value: None) -> None: ...


@overload
def instant(value: datetime | None) -> str | None: ...


def instant(value: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC, such as `2026-11-24T08:45:58.120000Z`."""
    return value.isoformat().replace("+00:00", "Z") if value else None


def page(
    items: Sequence[Item], limit: int, render: Callable[[Item], Shown], id_of: Callable[[Item], str]
) -> Page[Shown]:
    """Return one page of a list that was read with `limit + 1` items, and the cursor of the next."""
    shown = items[:limit]
    return {
        "data": [render(item) for item in shown],
        "next_cursor": id_of(shown[-1]) if len(items) > limit else None,
    }


def quantities(value: Quantities) -> dict[str, int]:
    """Return billable quantities by meter."""
    return {
        "requests": value.requests,
        "units": value.units,
        "compute_ms": value.compute_ms,
        "results": value.results,
    }


def csv_response(text: str, file_name: str) -> Response:
    """Return a whole CSV file that the browser saves under a name."""
    headers = {"Content-Disposition": f'attachment; filename="{file_name}"'}
    return Response(text, headers=headers, media_type=CSV_TYPE)
