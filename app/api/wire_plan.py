"""How a plan version looks on the wire."""

from typing import Any, assert_never

from app.api.wire import instant
from app.money import format_money, format_nanos
from app.pricing.plan import Graduated, PerUnit, PlanVersion, Price


def plan_body(plan: PlanVersion) -> dict[str, Any]:
    """Return a plan version with all its prices."""
    return {
        "id": plan.id,
        "key": plan.plan_key,
        "version": plan.version,
        "currency": plan.currency,
        "billing": plan.billing,
        "base_fee": format_money(plan.base_fee_nanos, plan.currency),
        "published_at": instant(plan.published_at),
        "prices": [price_body(price) for price in plan.prices],
    }


def price_body(price: Price) -> dict[str, Any]:
    """Return a price as a plan file writes it."""
    body: dict[str, Any] = {"model": price.model, "meter": price.meter}
    if price.when:
        body["when"] = price.when.written()
    match price.scheme:
        case PerUnit(unit_price_nanos):
            return {**body, "scheme": "per_unit", "unit_price": format_nanos(unit_price_nanos)}
        case Graduated(tiers):
            steps = [{"up_to": tier.up_to, "unit_price": format_nanos(tier.unit_price_nanos)} for tier in tiers]
            return {**body, "scheme": "graduated", "tiers": steps}
        case _:
            assert_never(price.scheme)
