"""The serving process: an ASGI application around the services."""

import gc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles

from app import __version__
from app.api.middleware import RequestFrame
from app.api.predict_shortcut import PredictShortcut
from app.api.problem import add_error_handlers
from app.api.router import api
from app.bootstrap import build
from app.clock import Clock
from app.portal.missing_page import missing_page, wants_page
from app.portal.page_cookies import PageCookies
from app.portal.rendering import STATIC
from app.portal.router import pages
from app.portal.security_headers import SecurityHeaders
from app.schema import require_head
from app.settings import Settings, load_settings


def application() -> FastAPI:
    """Return the application with the environment's settings: what `faremeter serve` runs."""
    return create_app(load_settings())


def create_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """Return the application; its services start with its lifespan.

    Raises (when the lifespan starts) SchemaOutdated, DatabaseUnavailable.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        require_head(services.database)
        services.metering.make_partitions(services.clock.now())
        async with services.running():
            gc.collect()
            gc.freeze()  # what libraries hold never becomes garbage; a full collection that walks it stalls every call
            yield

    services = build(settings, clock)
    app = FastAPI(
        title="Faremeter",
        version=__version__,
        summary="PyTorch models as a paid API",
        lifespan=lifespan,
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,  # a redirect would be built from the Host header that the caller chose
    )
    app.state.services = services
    add_error_handlers(app)
    _add_missing_page(app)
    app.include_router(api)
    app.include_router(pages)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_middleware(PredictShortcut)
    app.add_middleware(RequestFrame, body_bytes_max=settings.body_bytes_max)
    app.add_middleware(PageCookies)
    app.add_middleware(SecurityHeaders)
    return app


def _add_missing_page(app: FastAPI) -> None:
    """Let a browser that looks for a page that does not exist see a page."""
    problem: Any = app.exception_handlers[HTTPException]

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> Response:
        if wants_page(request, error):
            return await missing_page(request)
        answer: Response = await problem(request, error)
        return answer
