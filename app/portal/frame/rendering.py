"""Templates become pages, in the visitor's language, with every text escaped that a person may have written."""

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import cache, partial
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.requests import Request
from starlette.responses import HTMLResponse

from app.errors import AppError
from app.http_status import STATUS_OF
from app.period import Period
from app.portal.frame import formats
from app.portal.frame.credit_room import has_credit
from app.portal.frame.csrf import SAFE_METHODS
from app.portal.frame.error_texts import error_text
from app.portal.frame.forms import local_path
from app.portal.frame.preferences import Language
from app.portal.frame.time_labels import days_of, part_of_day
from app.portal.frame.translations import translations
from app.portal.frame.visitor import Visitor, services_of, visitor_of
from app.telemetry import get_logger

FOLDER = Path(__file__).parents[1]
STATIC = FOLDER / "static"
_AS_NOTICE = {"HX-Retarget": "#notice", "HX-Reselect": "#notice-text", "HX-Reswap": "innerHTML show:top"}
_log = get_logger(__name__)


def render(request: Request, template: str, *, status: int = 200, **context: Any) -> HTMLResponse:
    """Return a page. Templates also know `request`, `visitor`, `here`, `zone`, the formats below, and `_()`."""
    visitor = visitor_of(request)
    page = _environment(visitor.preferences.language).get_template(template)
    frame = {
        "request": request,
        "visitor": visitor,
        "here": _here(request),
        "sign_up_open": services_of(request).sign_up.policy == "open",
        "zone": zone_of(visitor),
        "has_credit": partial(_has_credit, request, visitor),  # asked for where the rooms of an account are listed
    }
    return HTMLResponse(page.render(frame | context), status_code=status)


def form_page(request: Request, template: str, *, problem: AppError | None = None, **context: Any) -> HTMLResponse:
    """Return the page of a form, with what is wrong with what was sent, if anything is."""
    status = status_of(problem) if problem else 200
    return render(request, template, status=status, problem=problem, **context)


def error_page(request: Request, error: AppError) -> HTMLResponse:
    """Return an error as a page of its own; for a request of htmx, as the notice that stands above the page."""
    status = status_of(error)
    # A query that was refused, such as one with a secret, is not repeated.
    here = local_path(request.url.path) if request.method in SAFE_METHODS else None
    context = {"problem": error, "request_id": request.scope.get("request_id"), "here": here}
    if request.headers.get("hx-request") == "true":
        response = render(request, "components/notice.html", status=status, **context)
        response.headers.update(_AS_NOTICE)
    else:
        response = render(request, "pages/error.html", status=status, error_status=status, **context)
    if error.retry_after_s is not None:
        response.headers["Retry-After"] = str(error.retry_after_s)
    return response


def status_of(error: AppError) -> int:
    """Return the status of a page that shows the error; what is our own fault is logged."""
    status = STATUS_OF[error.kind]
    if status >= 500:
        _log.warning("failed", code=error.code, detail=error.detail, cause=repr(error.__cause__))
    return status


def zone_of(visitor: Visitor) -> str:
    """Return the zone that the visitor's pages show times in: the chosen one, else the account's, else UTC."""
    own = visitor.membership.account.zone if visitor.membership else "UTC"
    return visitor.preferences.zone or own


def _has_credit(request: Request, visitor: Visitor) -> bool:
    return visitor.membership is not None and has_credit(services_of(request), visitor.membership.account.id)


def _here(request: Request) -> str | None:
    """Return where a visitor comes back to after changing preferences; None for what answers a form, once."""
    if request.method not in SAFE_METHODS:
        return None
    return request.url.path + (f"?{request.url.query}" if request.url.query else "")


@cache
def _environment(language: Language) -> Environment:
    environment = Environment(
        loader=FileSystemLoader(FOLDER / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        extensions=["jinja2.ext.i18n"],
    )
    environment.install_gettext_translations(translations(language), newstyle=True)  # type: ignore[attr-defined]
    environment.globals |= {
        "asset": asset,
        "language": language,
        "languages": formats.LANGUAGE_NAMES,
        "error_text": lambda error: error_text(error, translations(language)),
    }
    environment.filters |= _filters(language)
    return environment


def _filters(language: Language) -> Mapping[str, Any]:
    def instant(value: datetime | None, zone: str) -> str:
        return formats.instant(value, zone, language)

    def day(value: datetime | None, zone: str) -> str:
        return formats.day(value, zone, language)

    def number(value: int) -> str:
        return formats.number(value, language)

    def days(value: Period, zone: str) -> str:
        return days_of(value, zone, language)

    def part(value: Period, zone: str) -> str:
        return part_of_day(value, zone, language)

    def unit_price(nanos: int, currency: str) -> str:
        return formats.unit_price(nanos, currency, language)

    def money(nanos: int, currency: str) -> str:
        return formats.money(nanos, currency, language)

    texts = {"instant": instant, "day": day, "days": days, "part_of_day": part, "number": number}
    return {**texts, "unit_price": unit_price, "money": money}


@cache
def addresses_for_ever() -> frozenset[str]:
    """Return the address of every static file by its content."""
    return frozenset(asset(file.relative_to(STATIC).as_posix()) for file in STATIC.rglob("*") if file.is_file())


@cache
def asset(path: str) -> str:
    """Return the address of a static file with a digest of its content: it may be kept for ever."""
    digest = hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:12]
    return f"/static/{path}?v={digest}"
