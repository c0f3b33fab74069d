"""What the application answers: every method of every path, read off the application itself, with what it reads."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from fastapi import FastAPI
from fastapi.dependencies.models import Dependant
from fastapi.routing import APIRoute, _IncludedRouter
from pydantic import BaseModel
from starlette.routing import BaseRoute, Mount, Route

ANY = "ANY"  # a mount answers whatever method it likes


@dataclass(frozen=True, slots=True)
class Served:
    """A method of a path."""

    method: str
    path: str
    route: BaseRoute

    @property
    def name(self) -> tuple[str, str]:
        return self.method, self.path

    @property
    def fields(self) -> set[str]:
        """Return the fields of the form or the members of the body that the route declares."""
        return set(_declared(self._dependant, "body_params"))

    @property
    def parameters(self) -> set[str]:
        """Return the parameters of the query that the route declares."""
        return set(_declared(self._dependant, "query_params"))

    @property
    def models(self) -> list[type[BaseModel]]:
        """Return the models of what the route reads from a body."""
        return list(_models(self._dependant))

    @property
    def _dependant(self) -> Dependant:
        assert isinstance(self.route, APIRoute)
        return self.route.dependant


def served_routes(app: FastAPI) -> list[Served]:
    """Return the routes in the order in which they are matched. A kind that nobody foresaw fails."""
    return list(_walk(app.routes, ""))


def served_route(app: FastAPI, method: str, path: str) -> Served:
    return next(served for served in served_routes(app) if served.name == (method, path))


def _walk(routes: Sequence[BaseRoute], prefix: str) -> Iterator[Served]:
    for route in routes:
        if isinstance(route, _IncludedRouter):
            yield from _walk(route.original_router.routes, prefix + route.include_context.prefix)
        elif isinstance(route, Mount):
            yield Served(ANY, prefix + route.path, route)
        elif isinstance(route, Route):
            for method in sorted((route.methods or {ANY}) - {"HEAD"}):
                yield Served(method, prefix + route.path, route)
        else:
            raise TypeError(f"{route!r} is of a kind that the matrix does not know")


def _declared(dependant: Dependant, kind: str) -> Iterator[str]:
    for field in getattr(dependant, kind):
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield from (info.alias or name for name, info in model.model_fields.items())
        else:
            yield field.alias
    for dependency in dependant.dependencies:
        yield from _declared(dependency, kind)


def _models(dependant: Dependant) -> Iterator[type[BaseModel]]:
    for field in dependant.body_params:
        model = field.field_info.annotation
        if isinstance(model, type) and issubclass(model, BaseModel):
            yield model
    for dependency in dependant.dependencies:
        yield from _models(dependency)
