"""Hypothesis strategies for schemes, prices and plans."""

from hypothesis import strategies as st

from app.metering.meter import Meter
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
def plan_drafts(draw: st.DrawFn) -> PlanDraft:
    meters = st.sampled_from([Meter.UNITS, Meter.REQUESTS, Meter.COMPUTE_MS])
    models = st.sampled_from(["*", "linear", "vgg16", "vgg16-digits"])
    pairs = draw(st.sets(st.tuples(models, meters), min_size=1, max_size=6))
    return PlanDraft(
        key="payg",
        currency=draw(st.sampled_from(["USD", "JPY", "KWD"])),
        billing=Billing.POSTPAID,
        base_fee_nanos=draw(UNIT_PRICE_NANOS),
        prices=tuple(Price(model, meter, draw(schemes())) for model, meter in sorted(pairs)),
    )
