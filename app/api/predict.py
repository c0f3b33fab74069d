"""POST /v1/models/{model}/predict: from the wire to a call, and from the answer to the wire."""

import asyncio
from typing import Any

import msgspec
from fastapi import APIRouter, Request
from python_multipart.multipart import parse_options_header
from starlette.datastructures import UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect
from starlette.responses import Response

from app.accounts.account import Principal
from app.api.dependencies import secret_of, services_of
from app.api.described_predict import IMAGE_TYPES, REQUEST, RESPONSES
from app.api.limit_headers import limit_headers
from app.api.problem import problem_response
from app.bootstrap import Services
from app.charging.claim import checked_idempotency_key
from app.charging.limits.refusal import LimitReached
from app.errors import AppError, Invalid, Kind
from app.serving.call import Answer, Call, FileInputs, JsonInputs, digest_of
from app.serving.deadline import deadline_in
from app.serving.departure import departure_of

_FILES_MAX = 1024
_BODY_HINT = 'the body is {"inputs": [ … ]}'
_JSON_HINT = "check the JSON with a parser; NaN and Infinity are not JSON"
_FORM_HINT = "send each image as a file part named file"
router = APIRouter(prefix="/v1", tags=["predict"])


class MediaTypeUnsupported(AppError):
    """The body is of a kind that this route does not read."""

    kind = Kind.UNSUPPORTED_MEDIA
    code = "media_type_unsupported"


class BodyInvalid(Invalid):
    """The body cannot be read as what its content type says."""

    code = "body_invalid"


class PredictBody(msgspec.Struct, forbid_unknown_fields=True):
    """The JSON body: `inputs` holds one row, or one `{"b64": …}` image, an input."""

    inputs: list[Any]


_decode_json = msgspec.json.Decoder(PredictBody).decode


@router.post("/models/{model}/predict", openapi_extra=REQUEST, responses=RESPONSES, response_class=Response)
async def predict(model: str, request: Request) -> Response:
    """Run the model's default version. A 2xx answer leaves only after its usage is durable."""
    return await answer_call(request, model, None)


@router.post(
    "/models/{model}/versions/{version}/predict", openapi_extra=REQUEST, responses=RESPONSES, response_class=Response
)
async def predict_version(model: str, version: int, request: Request) -> Response:
    """Run one version of the model."""
    return await answer_call(request, model, version)


async def answer_call(request: Request, model: str, version: int | None) -> Response:
    """Answer a predict call. Raises every AppError of parsing, authentication and the use case."""
    services = services_of(request)
    deadline_ns = deadline_in(services.settings.request_deadline_s)
    principal = await _principal_of(services, secret_of(request))
    key = request.headers.get("idempotency-key")
    body = await _body_of(request, services.settings.request_deadline_s)
    departure = asyncio.ensure_future(departure_of(request.receive))
    try:
        payload = await _payload_of(request, body)
        call = Call(
            model=model,
            version=version,
            payload=payload,
            idempotency_key=None if key is None else checked_idempotency_key(key),
            request_digest=b"" if key is None else digest_of(request.scope["path"], principal, payload, body),
            deadline_ns=deadline_ns,
            departure=departure,
        )
        response = await _answered(request, services, principal, call)
    finally:
        departure.cancel()
    if states := call.limits.permit.states:
        response.headers.update(limit_headers(states))
    return response


async def _answered(request: Request, services: Services, principal: Principal, call: Call) -> Response:
    """Return the answer, or the problem of a call whose limits are to be told with it; other errors rise."""
    try:
        return _response_of(await services.predict.predict(principal, call))
    except LimitReached as error:
        response = problem_response(error, request.scope.get("request_id"))
        response.headers.update(limit_headers(error.states))
        return response
    except AppError as error:
        if not call.limits.permit.states:
            raise
        return problem_response(error, request.scope.get("request_id"))


async def _principal_of(services: Services, secret: str) -> Principal:
    if known := services.authenticator.known(secret):
        return known
    return await asyncio.to_thread(services.authenticator.authenticate, secret)


async def _body_of(request: Request, patience_s: int) -> bytes:
    try:
        async with asyncio.timeout(patience_s):
            return await request.body()
    except ClientDisconnect:
        raise BodyInvalid("the client left while sending", where="body") from None
    except TimeoutError:
        detail, hint = f"the body did not arrive within {patience_s} s", "send fewer or smaller inputs"
        raise BodyInvalid(detail, where="body", hint=hint) from None


async def _payload_of(request: Request, body: bytes) -> JsonInputs | FileInputs:
    encoding = request.headers.get("content-encoding", "identity")
    if encoding != "identity":
        raise MediaTypeUnsupported(
            f"a body with Content-Encoding {encoding} is not read", where="Content-Encoding", hint="send it as it is"
        )
    media_type = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    if media_type == "application/json":
        return JsonInputs(_inputs_in(body))
    if media_type in IMAGE_TYPES:
        return FileInputs((body,))
    if media_type == "multipart/form-data":
        return FileInputs(await _files_in(request, body))
    raise MediaTypeUnsupported(
        f"{media_type or 'a body without content type'} is not read here",
        where="Content-Type",
        hint=f"send application/json, multipart/form-data, {', '.join(sorted(IMAGE_TYPES))}",
    )


def _inputs_in(body: bytes) -> list[Any]:
    try:
        return _decode_json(body).inputs
    except msgspec.ValidationError as error:
        detail, _, place = str(error).partition(" - at `$.")
        raise BodyInvalid(detail, where=place.rstrip("`") or "body", hint=_BODY_HINT) from None
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise BodyInvalid(str(error), where="body", hint=_JSON_HINT) from None
    except RecursionError:
        raise BodyInvalid("the JSON is nested too deeply", where="body", hint="rows are lists of numbers") from None


async def _files_in(request: Request, body: bytes) -> list[bytes]:
    _, options = parse_options_header(request.headers["content-type"])
    if not body.rstrip().endswith(b"--%b--" % options.get(b"boundary", b"")):
        # the parser would be content with the parts before the break
        raise BodyInvalid("the form breaks off before its end", where="body", hint="send the whole form")
    try:
        async with request.form(max_files=_FILES_MAX, max_fields=_FILES_MAX) as form:
            files = []
            for name, value in form.multi_items():
                if name != "file" or not isinstance(value, UploadFile):
                    raise BodyInvalid(f"the form's part {name!r} is no file to read", where="body", hint=_FORM_HINT)
                files.append(await value.read())
            if not files:
                raise BodyInvalid("the form has no file", where="body", hint=_FORM_HINT)
            return files
    except HTTPException as error:  # Starlette's own word for a form that cannot be parsed
        raise BodyInvalid(error.detail, where="body", hint=_FORM_HINT) from None


def _response_of(answer: Answer) -> Response:
    headers = {}
    if answer.replayed:
        headers["Idempotent-Replayed"] = "true"
    if answer.units is not None:
        headers["Faremeter-Units"] = str(answer.units)
    if answer.amount is not None:
        headers["Faremeter-Amount"] = answer.amount
    return Response(answer.stored.body, answer.stored.status_code, headers, answer.stored.content_type)
