"""The shortcut of the hot path: predict calls reach their endpoint without the framework's routing.

The routes in `predict.py` stay what documents them, and the same function answers; the framework's way from the server
to that function costs more than the function itself.
"""

import re
from dataclasses import dataclass

from starlette.requests import Request
from starlette.types import ASGIApp, Receive, Scope, Send

from app.api.predict import answer_call

_PATH = re.compile(r"/v1/models/(?P<model>[^/]+)(?:/versions/(?P<version>[0-9]{1,9}))?/predict")


@dataclass(frozen=True, slots=True)
class _Route:
    """What the frame reads for logs and metrics: the path as the documented route writes it."""

    path: str


_DEFAULT = _Route("/v1/models/{model}/predict")
_VERSION = _Route("/v1/models/{model}/versions/{version}/predict")


class PredictShortcut:
    """Answers the predict routes, and hands everything else on."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request; errors rise to the frame, which answers them."""
        match = _PATH.fullmatch(scope["path"]) if scope["type"] == "http" and scope["method"] == "POST" else None
        if match is None:
            await self._app(scope, receive, send)
            return
        version = match["version"]
        scope["route"] = _DEFAULT if version is None else _VERSION
        response = await answer_call(Request(scope, receive), match["model"], None if version is None else int(version))
        await response(scope, receive, send)
