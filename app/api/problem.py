"""Errors on the wire: RFC 9457 problem details."""

from collections.abc import Mapping, Sequence
from http import HTTPStatus
from typing import Any

import msgspec
from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException
from starlette.responses import Response

from app.errors import AppError, Invalid
from app.http_status import STATUS_OF
from app.telemetry import get_logger, redact

PROBLEM_TYPE = "application/problem+json"
_TEXTS = {
    "type": "always about:blank: `code` tells problems apart",
    "title": "the phrase of the status",
    "code": "stable, for programs",
    "detail": "what went wrong, for people",
    "where": "the place in the request, such as `inputs[3]`",
    "hint": "how to mend it",
    "request_id": "as in the header X-Request-Id: name it when you ask for help",
}


def problem_schema(facts: Mapping[str, dict[str, Any]] | None = None) -> dict[str, Any]:
    """Return the schema of a problem that has those facts, by their names, beyond what all problems have."""
    return {
        "type": "object",
        "required": ["type", "title", "status", "code", "detail", "request_id"],
        "properties": {
            "status": {"type": "integer"},
            "retry_after_s": {"type": "integer", "description": "as Retry-After; absent: coming again does not help"},
            **{name: {"type": "string", "description": text} for name, text in _TEXTS.items()},
            **(facts or {}),
        },
    }


PROBLEM_RESPONSES: dict[int | str, dict[str, Any]] = {
    "default": {
        "description": "A problem (RFC 9457): `code` is stable, `where` points into the request, `hint` helps",
        "content": {PROBLEM_TYPE: {"schema": problem_schema()}},
    }
}
_RETRY_AFTER_S = 30  # where whoever raised a 503 knows no better
_CODES = {404: "route_not_found", 405: "method_not_allowed"}
_log = get_logger(__name__)


def problem_response(error: AppError, request_id: str | None) -> Response:
    """Return the error as problem+json: type, title, status, code, detail, and where, hint, facts where known."""
    status = STATUS_OF[error.kind]
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        _log.warning("failed", code=error.code, detail=error.detail, cause=repr(error.__cause__))
    retry_after_s = error.retry_after_s
    if retry_after_s is None and status == HTTPStatus.SERVICE_UNAVAILABLE:
        retry_after_s = _RETRY_AFTER_S
    body = {
        "type": "about:blank",
        "title": HTTPStatus(status).phrase,
        "status": status,
        "code": error.code,
        "detail": redact(error.detail),
        "where": redact(error.where) if error.where else None,
        "hint": error.hint,
        "request_id": request_id,
        "retry_after_s": retry_after_s,
        **error.facts,
    }
    headers = {}
    if retry_after_s is not None:
        headers["Retry-After"] = str(retry_after_s)
    if status == HTTPStatus.UNAUTHORIZED:
        headers["WWW-Authenticate"] = 'Bearer realm="faremeter"'
    return _response(body, status, headers)


def add_error_handlers(app: FastAPI) -> None:
    """Let every error leave as problem+json."""

    @app.exception_handler(AppError)
    async def on_app_error(request: Request, error: AppError) -> Response:
        return problem_response(error, _request_id(request))

    @app.exception_handler(RequestValidationError)
    async def on_invalid_request(request: Request, error: RequestValidationError) -> Response:
        first = error.errors()[0]
        place = "body" if first["type"] == "json_invalid" else _place_of(first["loc"])
        hint = "see /openapi.json for this route's parameters"
        return problem_response(Invalid(str(first["msg"]), where=place, hint=hint), _request_id(request))

    @app.exception_handler(HTTPException)
    async def on_http_error(request: Request, error: HTTPException) -> Response:
        if error.status_code == HTTPStatus.BAD_REQUEST:  # FastAPI's word for whatever was raised while it read a body
            cause = error.__cause__
            unread = Invalid("the body cannot be read as JSON", where="body", hint="check the JSON with a parser")
            return problem_response(cause if isinstance(cause, AppError) else unread, _request_id(request))
        body = {
            "type": "about:blank",
            "title": HTTPStatus(error.status_code).phrase,
            "status": error.status_code,
            "code": _CODES.get(error.status_code, "http_error"),
            "detail": f"{request.method} {redact(request.url.path)}: {error.detail}",
            "hint": "see /openapi.json for the routes",
            "request_id": _request_id(request),
        }
        return _response(body, error.status_code, dict(error.headers or {}))


def _request_id(request: Request) -> str | None:
    return request.scope.get("request_id")


def _place_of(location: Sequence[str | int]) -> str:
    """Render a location such as ("body", "scopes", 1) as `scopes[1]`, without the part of the request."""
    place = ""
    for part in location[1:] or location:
        place += f"[{part}]" if isinstance(part, int) else f".{part}"
    return place.lstrip(".")


def _response(body: dict[str, Any], status: int, headers: dict[str, str]) -> Response:
    known = {name: value for name, value in body.items() if value is not None}
    return Response(msgspec.json.encode(known), status, headers, PROBLEM_TYPE)
