"""The serving process: an ASGI application around the services."""

import gc
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from fastapi import FastAPI, Request, Response
from starlette.exceptions import HTTPException
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app import __version__
from app.api.middleware import RequestFrame
from app.api.predict_shortcut import PredictShortcut
from app.api.problem import add_error_handlers, problem_response
from app.api.router import api
from app.bootstrap import build
from app.clock import Clock
from app.errors import AppError
from app.exposition import numbers_of_process
from app.portal.frame.outside_pages import error_of, page_of, wants_page
from app.portal.frame.page_cookies import PageCookies
from app.portal.frame.rendering import STATIC
from app.portal.frame.security_headers import SecurityHeaders
from app.portal.router import pages
from app.schema import require_head
from app.settings import Settings, load_settings
from app.telemetry import configure_logging, get_logger

_log = get_logger(__name__)


def application() -> FastAPI:
    """Return the application with the environment's settings: what `faremeter serve` runs."""
    settings = load_settings()
    configure_logging(settings.log_level)  # each of several serving processes begins here
    return create_app(settings)


def create_app(settings: Settings, clock: Clock | None = None) -> FastAPI:
    """Return the application; its services start with its lifespan.

    Raises (when the lifespan starts) SchemaOutdated, DatabaseUnavailable.
    """

    @asynccontextmanager
    async def lifespan(_app: FastAPI) -> AsyncIterator[None]:
        try:
            require_head(services.database)
            services.metering.make_partitions(services.clock.now())
            async with services.running():
                gc.collect()
                gc.freeze()  # what libraries hold never becomes garbage; a full collection that walks it stalls calls
                with numbers_of_process(), services.drain.on_sigterm():
                    yield
        except AppError as error:
            _log.critical("Faremeter cannot serve", reason=str(error))  # all that is said of it: see FailureToldOnce
            raise

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
    _add_pages_of_errors(app)
    app.include_router(api)
    app.include_router(pages)
    app.mount("/static", StaticFiles(directory=STATIC))
    app.add_middleware(PredictShortcut)
    app.add_middleware(
        RequestFrame, body_bytes_max=settings.body_bytes_max, answer_error=_answer_error, drain=services.drain
    )
    app.add_middleware(PageCookies)
    app.add_middleware(SecurityHeaders, https=settings.public_url.startswith("https://"))
    app.add_middleware(FailureToldOnce)
    return app


class FailureToldOnce:
    """Keeps the traceback of a start from the log that failed for a known reason: that was logged in one line."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass everything on; only the message of a failed start is emptied."""

        async def told(message: Message) -> None:
            if message["type"] == "lifespan.startup.failed" and isinstance(sys.exception(), AppError):
                message = {**message, "message": ""}
            await send(message)

        await self._app(scope, receive, told if scope["type"] == "lifespan" else send)


def _add_pages_of_errors(app: FastAPI) -> None:
    """Let a browser see a page where the router knows no path or no method."""
    problem: Any = app.exception_handlers[HTTPException]

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> Response:
        shown = error_of(error)
        answer: Response
        if shown is None or not wants_page(request):
            answer = await problem(request, error)
        else:
            answer = await page_of(request, shown)
            answer.headers.update(error.headers or {})  # which methods there are
        return answer


async def _answer_error(request: Request, error: AppError) -> Response:
    """Answer what was refused before any route saw it: a browser with a page, a program with a problem."""
    if wants_page(request):
        return await page_of(request, error)
    return problem_response(error, request.scope["request_id"])
