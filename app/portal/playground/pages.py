"""/app/playground, and the calls that are made from it: each takes the way of a call to the API."""

import asyncio
from datetime import datetime
from typing import Annotated, Any, Literal
from uuid import uuid4

from fastapi import APIRouter, Form, Request, UploadFile
from fastapi.concurrency import run_in_threadpool
from pydantic import Field
from starlette.responses import Response

from app.bootstrap import Services
from app.charging.claim import IdempotencyKeyReused, checked_idempotency_key
from app.charging.credit_balance import Balance
from app.errors import AppError, NotFound
from app.portal.frame.credit_room import is_prepaid
from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page
from app.portal.frame.visitor import Caller, Predictor, ServicesDep, visitor_of
from app.portal.playground.rows import rows_of
from app.portal.playground.shown_answer import ShownAnswer
from app.portal.playground.snippets import Body, PictureBody, RowsBody, Snippets
from app.portal.playground.submission import Submission, submission_of
from app.portal.playground.trial import Trial, find_trial, trials
from app.serving.call import Call, digest_of
from app.serving.deadline import deadline_in
from app.serving.departure import departure_of

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_OTHER_FIELDS_BYTES = 4096  # of a form that holds a picture
Mode = Literal["test", "live"]
ROWS_CHARS_MAX = 64_000


class TrialForm(PageForm):
    """A call from the page: rows as text, or a picture; without a picture the example is sent."""

    mode: Mode = "test"
    idempotency_key: str
    rows: str = Field(default="", max_length=ROWS_CHARS_MAX)
    file: UploadFile | None = None


@router.get("/app/playground")
def show_first(request: Request, caller: Predictor, services: ServicesDep) -> Response:
    """Show the first model that can be tried."""
    known = trials(services, caller.account.id)
    return _page(request, services, known, known[0] if known else None)


@router.get("/app/playground/{model}")
def show(model: str, request: Request, caller: Predictor, services: ServicesDep) -> Response:
    """Show a model's form with an example filled in."""
    known = trials(services, caller.account.id)
    return _page(request, services, known, find_trial(known, model))


@router.post("/app/models/{model}/predict")
async def run(
    model: str, request: Request, form: Annotated[TrialForm, Form()], caller: Predictor, services: ServicesDep
) -> Response:
    """Make the call; the page shows its answer, or why there is none, beside what was sent."""
    known = await run_in_threadpool(trials, services, caller.account.id)
    trial = find_trial(known, model)
    shown: dict[str, Any] = {"mode": form.mode, "rows": form.rows or trial.example_row}
    try:
        submission = await run_in_threadpool(submission_of, trial, rows=form.rows, file=form.file)
        shown["snippets"] = _snippets(services, trial, submission)
        shown["answer"] = await _predict(request, services, caller, trial, form, submission)
    except NotFound:
        raise
    except AppError as error:
        shown["problem"] = error
        if not isinstance(error, IdempotencyKeyReused):  # what may have been charged is asked for under the same key
            shown["idempotency_key"] = form.idempotency_key
    return await run_in_threadpool(_page, request, services, known, trial, **shown)


async def _predict(
    request: Request, services: Services, caller: Caller, trial: Trial, form: TrialForm, submission: Submission
) -> ShownAnswer:
    """Call the model with the account's key for the playground. Raises what a call to the API raises."""
    live = form.mode == "live"
    principal_of = services.accounts.playground_principal
    principal = await run_in_threadpool(principal_of, caller.account.id, live=live, by=caller.actor)
    departure = asyncio.ensure_future(departure_of(request.receive))
    try:
        call = Call(
            model=trial.name,
            version=None,
            payload=submission.payload,
            idempotency_key=checked_idempotency_key(form.idempotency_key),
            request_digest=digest_of(request.url.path, principal, submission.payload, submission.body),
            deadline_ns=deadline_in(services.settings.request_deadline_s),
            departure=departure,
        )
        return ShownAnswer.of(await services.predict.predict(principal, call), live=live)
    finally:
        departure.cancel()


def _page(request: Request, services: Services, known: list[Trial], trial: Trial | None, **shown: Any) -> Response:
    """Show the page; the form gets a fresh idempotency key, so that the next press of the button is a new call."""
    context: dict[str, Any] = {"mode": "test", "answer": None, "idempotency_key": str(uuid4())}
    context["picture_bytes_max"] = services.settings.body_bytes_max - _OTHER_FIELDS_BYTES
    if trial is not None:
        context |= {"rows": trial.example_row, "snippets": _snippets(services, trial, None)}
    context["resets_at"] = _resets_at(shown.get("problem"))
    context["balance"] = _balance(request, services)
    return form_page(request, "pages/playground.html", trials=known, trial=trial, **context | shown)


def _resets_at(problem: AppError | None) -> datetime | None:
    """Return when the bound that refused a call starts anew."""
    at = problem.facts.get("reset_at") if problem else None
    return datetime.fromisoformat(str(at)) if at else None


def _balance(request: Request, services: Services) -> Balance | None:
    """Return what the account has in advance, where calls are paid from it."""
    membership = visitor_of(request).membership
    if membership is None or not is_prepaid(services, membership.account.id):
        return None
    return services.credits.balance(membership.account.id)


def _snippets(services: Services, trial: Trial, submission: Submission | None) -> Snippets:
    return call_snippets(services.settings.public_url, trial, submission)


def call_snippets(
    public_url: str, trial: Trial, submission: Submission | None = None, secret: str | None = None
) -> Snippets:
    """Return the code of a call of the API with what was sent, or with the model's example."""
    body = (submission and submission.as_code) or _example_as_code(trial)
    return Snippets(f"{public_url}/v1/models/{trial.name}/predict", body, str(uuid4()), secret)


def _example_as_code(trial: Trial) -> Body:
    if trial.takes_pictures:
        return PictureBody(trial.example_picture.file_name, trial.example_picture.media_type)
    return RowsBody(rows_of(trial.example_row, rows_max=1))
