"""A plan as the file that an operator would write: where the next version starts from (pure)."""

import json
from collections.abc import Iterator
from typing import assert_never

from app.money import format_nanos
from app.pricing.condition import Condition
from app.pricing.plan import Graduated, PerUnit, PlanDraft, Price, Tier


def write_plan(draft: PlanDraft) -> str:
    """Return the plan file that `parse_plan` reads as this plan."""
    return "\n".join([*_head(draft), *(line for price in draft.prices for line in _price(price))]) + "\n"


def _head(draft: PlanDraft) -> Iterator[str]:
    yield f'key = "{draft.key}"'
    yield f'currency = "{draft.currency}"'
    yield f'billing = "{draft.billing}"'
    yield f'base_fee = "{format_nanos(draft.base_fee_nanos)}"'


def _price(price: Price) -> Iterator[str]:
    yield from ("", "[[price]]", f'model = "{price.model}"', f'meter = "{price.meter}"')
    match price.scheme:
        case PerUnit(unit_price_nanos):
            yield from ('scheme = "per_unit"', f'unit_price = "{format_nanos(unit_price_nanos)}"')
        case Graduated(tiers):
            yield 'scheme = "graduated"'
            for tier in tiers:
                yield from _tier(tier)
        case _:
            assert_never(price.scheme)
    if price.when:
        yield from _when(price.when)


def _tier(tier: Tier) -> Iterator[str]:
    yield from ("", "[[price.tier]]")
    if tier.up_to is not None:
        yield f"up_to = {tier.up_to}"
    yield f'unit_price = "{format_nanos(tier.unit_price_nanos)}"'


def _when(condition: Condition) -> Iterator[str]:
    yield from ("", "[price.when]")
    # JSON's texts and lists are TOML's, where every character is a printable one.
    yield from (f"{name} = {json.dumps(value, ensure_ascii=False)}" for name, value in condition.written().items())
