"""The frozen form of a plan version: canonical JSON, so that equal content is equal text with an equal digest.

Its fields are those of the plan file, with prices in the order of model and meter. It is read without the checks of
the plan file: what was published once stays readable when later plan files must meet stricter rules.
"""

import hashlib
import json
from typing import Any, assert_never

from app.metering.meter import Meter
from app.money import format_nanos, parse_nanos
from app.pricing.condition import read_condition
from app.pricing.plan import Billing, Graduated, PerUnit, PlanDraft, Price, Scheme, Tier


def write_document(draft: PlanDraft) -> str:
    """Return the canonical JSON of a plan: sorted keys, no blanks, amounts as decimal strings."""
    document = {
        "key": draft.key,
        "currency": draft.currency,
        "billing": draft.billing.value,
        "base_fee": format_nanos(draft.base_fee_nanos),
        "price": [
            _price_fields(price) for price in sorted(draft.prices, key=lambda price: (price.model, price.meter.value))
        ],
    }
    return json.dumps(document, sort_keys=True, separators=(",", ":"))


def read_document(text: str) -> PlanDraft:
    """Return the plan that was written with `write_document`."""
    document = json.loads(text)
    return PlanDraft(
        key=document["key"],
        currency=document["currency"],
        billing=Billing(document["billing"]),
        base_fee_nanos=parse_nanos(document["base_fee"]),
        prices=tuple(_price_of(item) for item in document["price"]),
    )


def digest_of(document: str) -> str:
    """Return the SHA-256 of a document, in hex."""
    return hashlib.sha256(document.encode()).hexdigest()


def _price_fields(price: Price) -> dict[str, Any]:
    when = {"when": price.when.written()} if price.when else {}
    return {"model": price.model, "meter": price.meter.value, **_scheme_fields(price.scheme), **when}


def _scheme_fields(scheme: Scheme) -> dict[str, Any]:
    match scheme:
        case PerUnit(unit_price_nanos):
            return {"scheme": "per_unit", "unit_price": format_nanos(unit_price_nanos)}
        case Graduated(tiers):
            return {"scheme": "graduated", "tier": [_tier_fields(tier) for tier in tiers]}
        case _:
            assert_never(scheme)


def _tier_fields(tier: Tier) -> dict[str, Any]:
    bound = {} if tier.up_to is None else {"up_to": tier.up_to}
    return bound | {"unit_price": format_nanos(tier.unit_price_nanos)}


def _price_of(item: dict[str, Any]) -> Price:
    when = read_condition(item["when"]) if "when" in item else None
    return Price(item["model"], Meter(item["meter"]), _scheme_of(item), when)


def _scheme_of(item: dict[str, Any]) -> Scheme:
    if item["scheme"] == "per_unit":
        return PerUnit(parse_nanos(item["unit_price"]))
    return Graduated(tuple(Tier(tier.get("up_to"), parse_nanos(tier["unit_price"])) for tier in item["tier"]))
