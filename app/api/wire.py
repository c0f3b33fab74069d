"""How things look on the wire: instants, money, pages."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Any, TypeVar

from starlette.responses import Response

from app.metering.meter import Quantities

Item = TypeVar("Item")
CSV_TYPE = "text/csv; charset=utf-8"
CSV_RESPONSES: dict[int | str, dict[str, Any]] = {200: {"content": {"text/csv": {"schema": {"type": "string"}}}}}


def instant(value: datetime | None) -> str | None:
    """Return an instant as RFC 3339 in UTC, such as `2026-11-24T08:45:58.120000Z`."""
    return value.isoformat().replace("+00:00", "Z") if value else None


def page(
    items: Sequence[Item], limit: int, render: Callable[[Item], dict[str, Any]], id_of: Callable[[Item], str]
) -> dict[str, Any]:
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
