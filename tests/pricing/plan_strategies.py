"""Hypothesis strategies for schemes, prices and plans."""

from decimal import Decimal

from hypothesis import strategies as st

from app.metering.meter import Meter
from app.pricing.condition import Condition, plain
from app.pricing.plan import Billing, Graduated, PerUnit, PlanDraft, Price, Scheme, Tier

UNIT_PRICE_NANOS = st.one_of(st.just(0), st.integers(1, 10**6), st.integers(0, 10**18))


@st.composite
def graduated(draw: st.DrawFn, bound_max: int = 2**63 - 1) -> Graduated:
    bounds = sorted(draw(st.sets(st.integers(1, bound_max), max_size=5)))
    prices = draw(st.lists(UNIT_PRICE_NANOS, min_size=len(bounds) + 1, max_size=len(bounds) + 1))
    return Graduated(tuple(Tier(up_to, price) for up_to, price in zip([*bounds, None], prices, strict=True)))


def schemes(bound_max: int = 2**63 - 1) -> st.SearchStrategy[Scheme]:
    return st.one_of(st.builds(PerUnit, UNIT_PRICE_NANOS), graduated(bound_max))


@st.composite
def conditions(draw: st.DrawFn) -> Condition:
    """Conditions as a plan file can ask for them."""
    numbers = st.decimals(-1000, 1000, allow_nan=False, places=4).map(lambda number: Decimal(plain(number)))
    bounds = sorted(draw(st.lists(numbers, max_size=2)))
    low, high = draw(st.permutations([*bounds, None, None][:2])) if len(bounds) < 2 else bounds
    texts = numbers.map(plain) if bounds else st.text(st.characters(codec="utf-8", categories=["L", "N", "P", "S"]))
    among = draw(st.sets(texts.filter(bool), min_size=0 if bounds else 1, max_size=4))
    return Condition(draw(st.sampled_from(["probability", "label"])), low, high, tuple(sorted(among)))


@st.composite
def plan_drafts(draw: st.DrawFn) -> PlanDraft:
    billing = draw(st.sampled_from(Billing))
    sold = set(Meter) if billing is Billing.POSTPAID else set(Meter) - {Meter.COMPUTE_MS}
    meters = st.sampled_from(sorted(sold))
    models = st.sampled_from(["*", "linear", "vgg16", "vgg16-digits"])
    pairs = draw(st.sets(st.tuples(models, meters), min_size=1, max_size=6))
    return PlanDraft(
        key="payg",
        currency=draw(st.sampled_from(["USD", "JPY", "KWD"])),
        billing=billing,
        base_fee_nanos=draw(UNIT_PRICE_NANOS) if billing is Billing.POSTPAID else 0,
        prices=tuple(
            Price(model, meter, draw(schemes()), draw(conditions()) if meter is Meter.RESULTS else None)
            for model, meter in sorted(pairs)
        ),
    )
