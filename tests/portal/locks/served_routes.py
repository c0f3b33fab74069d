"""What the application answers: every method of every path, read off the application itself."""

from collections.abc import Iterator, Sequence

from fastapi import FastAPI
from fastapi.routing import _IncludedRouter
from starlette.routing import BaseRoute, Mount, Route

Served = tuple[str, str]
ANY = "ANY"  # a mount answers whatever method it likes


def served_routes(app: FastAPI) -> list[Served]:
    """Return the routes in the order in which they are matched. A kind that nobody foresaw fails."""
    return list(_walk(app.routes, ""))


def _walk(routes: Sequence[BaseRoute], prefix: str) -> Iterator[Served]:
    for route in routes:
        if isinstance(route, _IncludedRouter):
            yield from _walk(route.original_router.routes, prefix + route.include_context.prefix)
        elif isinstance(route, Mount):
            yield ANY, prefix + route.path
        elif isinstance(route, Route):
            for method in sorted((route.methods or {ANY}) - {"HEAD"}):
                yield method, prefix + route.path
        else:
            raise TypeError(f"{route!r} is of a kind that the matrix does not know")
