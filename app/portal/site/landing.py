"""The start page: what is served here, and what it costs on the plan that a new account gets."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.bootstrap import Services
from app.inference.engine import ModelState, VersionStatus
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import render
from app.portal.frame.visitor import ServicesDep
from app.portal.playground.pages import call_snippets
from app.portal.playground.trial import Trial, trial_of
from app.pricing.plan import PlanVersion, Price
from app.pricing.service import PlanNotFound

router = APIRouter(route_class=PageRoute, include_in_schema=False)


@dataclass(frozen=True, slots=True)
class Offer:
    """A model of the catalogue with its prices; none where the plan does not sell it."""

    model: ModelState
    ready: bool
    prices: tuple[Price, ...]


@router.get("/")
def show_landing(request: Request, services: ServicesDep) -> Response:
    """Show the catalogue with prices."""
    plan = default_plan(services)
    known = offers(services, plan)
    trial = first_call(known, plan)
    code = call_snippets(services.settings.public_url, trial).curl if trial else None
    return render(request, "pages/landing.html", offers=known, plan=plan, trial=trial, code=code)


def default_plan(services: Services) -> PlanVersion | None:
    """Return the newest version of the plan that a new account gets, or None where there is none."""
    key = services.settings.default_plan
    try:
        return services.plans.newest(key) if key else None
    except PlanNotFound:
        return None


def offers(services: Services, plan: PlanVersion | None) -> list[Offer]:
    """Return every model of the catalogue, those that the plan sells first."""
    found = [
        Offer(state, _is_ready(state), tuple(plan.prices_for(state.name)) if plan else ())
        for state in services.engine.catalogue()
    ]
    return sorted(found, key=lambda offer: (not offer.prices, not offer.ready, offer.model.name))


def first_call(known: list[Offer], plan: PlanVersion | None) -> Trial | None:
    """Return the call that is shown, of the first model that is sold, rows before pictures; None where none is."""
    sold = [offer.model for offer in known if offer.prices]
    shown = [trial_of(state, state.manifest, plan) for state in sold if state.manifest]
    return min(shown, key=lambda trial: trial.takes_pictures, default=None)


def _is_ready(state: ModelState) -> bool:
    return any(version.status is VersionStatus.READY for version in state.versions.values())
