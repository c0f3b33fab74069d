"""The start page: what is served here, and what it costs on the plan that a new account gets."""

from dataclasses import dataclass

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.bootstrap import Services
from app.inference.engine import ModelState, VersionStatus
from app.portal.page_route import PageRoute
from app.portal.rendering import render
from app.portal.visitor import ServicesDep
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
    public_url = services.settings.public_url
    return render(request, "pages/landing.html", offers=offers(services, plan), plan=plan, public_url=public_url)


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


def _is_ready(state: ModelState) -> bool:
    return any(version.status is VersionStatus.READY for version in state.versions.values())
