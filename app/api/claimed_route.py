"""Routes that change something once for an Idempotency-Key: `APIRouter(route_class=ClaimedRoute)`.

The key is claimed after the caller is known and the request understood, and before anything is done; the answer of a
success is kept and given to every repeat. An answer lost in a crash between the effect and its keeping is made again by
running again: the effect of each of these routes has a natural key of its own, so that it happens once
(docs/operations.md says which).
"""

import hashlib
import inspect
from collections.abc import Callable, Mapping
from functools import wraps
from typing import Annotated, Any, cast

from fastapi import Header, Request
from fastapi.encoders import jsonable_encoder
from fastapi.routing import APIRoute
from starlette.concurrency import run_in_threadpool
from starlette.responses import JSONResponse, Response

from app.accounts.account import Principal
from app.api.dependencies import services_of
from app.api.described_problems import CLAIMED, Responses, problems, together
from app.audit_log.actor import Actor
from app.charging.claim import ANSWER_BYTES_MAX, Claim, StoredAnswer, checked_idempotency_key
from app.charging.gate import Pass
from app.errors import InvariantViolation
from app.ids import new_id

_WRITES = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_DESCRIPTION = "Whoever sends the same request under the same key again gets the answer of the first one"
IdempotencyKey = Annotated[str | None, Header(alias="Idempotency-Key", description=_DESCRIPTION)]
_STRING = {"type": "string"}
_REQUEST, _KEY = "claimed_request", "idempotency_key"


def creation_id_of(idempotency_key: str | None, caller_id: str) -> str | None:
    """Return what an effect is made once for: the Idempotency-Key, checked, of that caller alone. Raises Invalid."""
    return None if idempotency_key is None else f"{caller_id} {checked_idempotency_key(idempotency_key)}"


class ClaimedRoute(APIRoute):
    """A route whose writes are done once for an Idempotency-Key; without one nothing is different."""

    def __init__(self, path: str, endpoint: Callable[..., Any], **options: Any) -> None:
        writes = _WRITES & set(options.get("methods") or ())
        status = options.get("status_code") or 200
        if writes:
            options["responses"] = together(_responses_of(int(status)), options.get("responses") or {})
        super().__init__(path, _claimed(endpoint, int(status)) if writes else endpoint, **options)


def _responses_of(status: int) -> Responses:
    """Return what every claimed route answers beside its own."""
    replayed = {"description": "`true` where this is the kept answer of an earlier request", "schema": _STRING}
    answer = {"description": "Done, now or by an earlier request", "headers": {"Idempotent-Replayed": replayed}}
    return {status: answer, **problems(*CLAIMED)}


def _claimed(endpoint: Callable[..., Any], status: int) -> Callable[..., Any]:
    """Return the endpoint behind a claim; one that was wrapped is included a second time as it is."""
    if getattr(endpoint, "is_claimed", False):
        return endpoint
    signature = inspect.signature(endpoint)
    asks_itself = _KEY in signature.parameters

    @wraps(endpoint)
    async def claimed(**values: Any) -> Any:
        request: Request = values.pop(_REQUEST)
        key: str | None = values[_KEY] if asks_itself else values.pop(_KEY)
        if key is None:
            return await run_in_threadpool(endpoint, **values)
        scope, caller_id = _callers_of(values)
        claim = Claim(scope, checked_idempotency_key(key), await _digest_of(request, caller_id), new_id("act"))
        return await _once(request, claim, endpoint, values, status)

    own = [inspect.Parameter(_REQUEST, inspect.Parameter.KEYWORD_ONLY, annotation=Request)]
    if not asks_itself:
        own.append(inspect.Parameter(_KEY, inspect.Parameter.KEYWORD_ONLY, annotation=IdempotencyKey, default=None))
    parameters = [each.replace(kind=inspect.Parameter.KEYWORD_ONLY) for each in signature.parameters.values()]
    wrapped = cast("Any", claimed)
    wrapped.__signature__ = signature.replace(parameters=[*parameters, *own])
    wrapped.is_claimed = True
    del wrapped.__wrapped__  # FastAPI would look through to the endpoint, which is no coroutine
    return claimed


async def _once(
    request: Request, claim: Claim, endpoint: Callable[..., Any], values: Mapping[str, Any], status: int
) -> Response:
    gate = services_of(request).gate
    verdict = await gate.enter(Pass(claim))
    if isinstance(verdict, StoredAnswer):
        headers = {"Idempotent-Replayed": "true"}
        return Response(verdict.body, verdict.status_code, headers, verdict.content_type)
    try:
        response = _response_of(await run_in_threadpool(endpoint, **values), status)
        body = bytes(response.body)
        if len(body) <= ANSWER_BYTES_MAX:  # a larger one is made anew by whoever repeats the request
            answer = StoredAnswer(response.status_code, response.headers["content-type"], body)
            await gate.complete(claim, answer)
            return response
    except BaseException:  # cancelled ones included: whoever repeats the request runs it
        gate.leave(Pass(claim))
        raise
    gate.leave(Pass(claim))
    return response


def _response_of(result: Any, status: int) -> Response:
    return result if isinstance(result, Response) else JSONResponse(jsonable_encoder(result), status)


def _callers_of(values: Mapping[str, Any]) -> tuple[str, str]:
    """Return whose Idempotency-Keys are meant, the caller's account's or the operator's own, and who the caller is.

    A key and its successors are one caller: a request that was sent before a rotation is repeated after it.
    """
    for value in values.values():
        if isinstance(value, Principal):
            return value.account_id, value.budget_key_id
    for value in values.values():
        if isinstance(value, Actor):
            return value.id, value.id
    raise InvariantViolation("a claimed route has to know its caller")


async def _digest_of(request: Request, caller_id: str) -> bytes:
    """Return what tells two requests under one key apart: the caller, method, path, query, content type and body.

    Nobody gets an answer that another key of the account was given: that one may do what this one may not.
    """
    content_type = request.headers.get("content-type", "")
    head = f"{caller_id}\n{request.method}\n{request.url.path}\n{request.url.query}\n{content_type}\n"
    return hashlib.sha256(head.encode() + await request.body()).digest()
