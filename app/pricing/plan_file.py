"""Plan files: the TOML that an operator writes, read into a draft or refused with the place and the remedy."""

import re

from app.errors import Invalid
from app.metering.meter import Meter
from app.money import parse_currency
from app.pricing.bounds import is_bounded
from app.pricing.condition import Condition
from app.pricing.condition_file import parse_condition
from app.pricing.plan import EVERY_MODEL, Billing, Graduated, PerUnit, PlanDraft, Price, Scheme, Tier
from app.toml_table import TomlTable, parse_toml

_NAME = re.compile(r"[a-z0-9][a-z0-9._-]{0,62}")
_PLAN_FIELDS = ("key", "currency", "billing", "base_fee", "price")
_PRICE_FIELDS = {
    "per_unit": ("model", "meter", "scheme", "unit_price", "when"),
    "graduated": ("model", "meter", "scheme", "tier", "when"),
}
_TIER_FIELDS = ("up_to", "unit_price")
_NOT_YET = {"billing": set[str](), "meter": set[str](), "scheme": {"volume", "package"}}
_METERS = (Meter.UNITS, Meter.REQUESTS, Meter.COMPUTE_MS, Meter.RESULTS)


def parse_plan(text: str) -> PlanDraft:
    """Read a plan file. Raises Invalid for the first mistake, at a place such as `price[1].tier[0].up_to`."""
    plan = parse_toml(text, source="plan file")
    plan.allow_only(_PLAN_FIELDS)
    key = _name(plan, "key", example="payg")
    currency = parse_currency(plan.text("currency", example="USD"))
    billing = Billing(_choice(plan, "billing", tuple(Billing)))
    base_fee_nanos = plan.amount_nanos("base_fee", example="0")
    tables = plan.tables("price")
    prices = [_price(table) for table in tables]
    _refuse_twice_priced(prices, tables)
    if billing is Billing.PREPAID:
        _refuse_what_credit_cannot_pay(base_fee_nanos, prices, tables)
    return PlanDraft(key, currency, billing, base_fee_nanos, tuple(sorted(prices, key=_model_and_meter)))


def _price(table: TomlTable) -> Price:
    scheme = _choice(table, "scheme", tuple(_PRICE_FIELDS))
    table.allow_only(_PRICE_FIELDS[scheme])
    model = _name(table, "model", example="linear")
    meter = Meter(_choice(table, "meter", _METERS))
    when = _condition(table, meter)
    return Price(model, meter, _per_unit(table) if scheme == "per_unit" else _graduated(table), when)


def _condition(price: TomlTable, meter: Meter) -> Condition | None:
    if meter is Meter.RESULTS:
        return parse_condition(price.table("when"))
    if "when" in price:
        raise Invalid(
            f"{meter} are counted without a condition",
            where=price.place("when"),
            hint='write meter = "results" to count the outputs that meet it, or take [price.when] out',
        )
    return None


def _per_unit(table: TomlTable) -> Scheme:
    return PerUnit(table.amount_nanos("unit_price", example="0.002"))


def _graduated(table: TomlTable) -> Scheme:
    tiers: list[Tier] = []
    tables = table.tables("tier")
    for tier in tables:
        tier.allow_only(_TIER_FIELDS)
        tiers.append(Tier(_up_to(tier, after=tiers[-1:]), tier.amount_nanos("unit_price", example="0.002")))
    if tiers[-1].up_to is not None:
        raise Invalid(
            f"the last tier ends at {tiers[-1].up_to}, and no price is given for what comes behind it",
            where=tables[-1].place("up_to"),
            hint="add one more [[price.tier]] without up_to",
        )
    return Graduated(tuple(tiers))


def _up_to(tier: TomlTable, *, after: list[Tier]) -> int | None:
    """Read where a tier ends; the previous tier ends where this one begins, so that there can be no gap."""
    before = after[0].up_to if after else 0
    if before is None:
        raise Invalid(
            "a tier follows the open one",
            where=tier.where,
            hint="only the last tier goes without up_to; give the one before it an up_to",
        )
    if "up_to" not in tier:
        return None
    up_to = tier.integer("up_to", example=1000)
    if up_to <= before:
        raise Invalid(
            f"up_to = {up_to} overlaps the tier before, which ends at {before}",
            where=tier.place("up_to"),
            hint=f"tiers ascend: use {before + 1} or more",
        )
    return up_to


def _name(table: TomlTable, field: str, *, example: str) -> str:
    name = table.text(field, example=example)
    if not _NAME.fullmatch(name) and not (field == "model" and name == EVERY_MODEL):
        star = ', or "*" for every model' if field == "model" else ""
        raise Invalid(
            f"{name!r} is not a {field}",
            where=table.place(field),
            hint=f"use up to 63 of a-z 0-9 . _ -, a letter or digit first{star}",
        )
    return name


def _choice(table: TomlTable, field: str, choices: tuple[str, ...]) -> str:
    value = table.text(field, example=choices[0])
    if value in _NOT_YET[field]:
        raise Invalid(
            f"{field} {value!r} is not part of this version",
            where=table.place(field),
            hint=f"choose from: {', '.join(choices)}",
        )
    return table.choice(field, choices)


def _refuse_twice_priced(prices: list[Price], tables: list[TomlTable]) -> None:
    first: dict[tuple[str, str], str] = {}
    for price, table in zip(prices, tables, strict=True):
        earlier = first.setdefault(_model_and_meter(price), table.where)
        if earlier != table.where:
            raise Invalid(
                f"{price.meter} of model {price.model!r} has a price already, at {earlier}",
                where=table.where,
                hint="give each meter of a model one price; tiers go into one graduated price",
            )


def _refuse_what_credit_cannot_pay(base_fee_nanos: int, prices: list[Price], tables: list[TomlTable]) -> None:
    """Refuse what cannot be taken from credit call by call, each before it runs."""
    if base_fee_nanos:
        raise Invalid(
            "a prepaid plan has no base fee: credit pays for calls, and there is no call to take the fee with",
            where="base_fee",
            hint='write base_fee = "0", or billing = "postpaid"',
        )
    for price, table in zip(prices, tables, strict=True):
        if not is_bounded(price):
            raise Invalid(
                f"what {price.meter} will cost is not known before a call runs, so credit cannot be set aside for it",
                where=table.place("meter"),
                hint='price units, requests or results, or write billing = "postpaid"',
            )


def _model_and_meter(price: Price) -> tuple[str, str]:
    return price.model, price.meter.value
