"""Assembling: pure, so that its laws can be tried on any segments and totals."""

from dataclasses import replace
from datetime import timedelta
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.account import Account
from app.billing.assemble import assemble, credit_lines
from app.billing.invoice import Invoice, InvoiceTooLarge, LineKind
from app.billing.period_usage import PeriodUsage
from app.errors import InvariantViolation
from app.metering.meter import Meter, Quantities
from app.metering.store import UsageTotal
from app.period import Period
from app.pricing.condition import Condition
from app.pricing.plan import Billing, PerUnit, PlanSegment, PlanVersion, Price
from app.rating.rate import rate
from tests.billing.books import utc
from tests.pricing.plan_strategies import schemes

ACCOUNT = Account("acct_1", "Ada", "USD", "UTC", 1, utc("2026-01-01T00:00"))
PERIOD = Period(utc("2026-03-01T00:00"), utc("2026-04-01T00:00"))
LENGTH_US = 31 * 24 * 3600 * 10**6
OFFSETS_US = st.lists(st.integers(1, LENGTH_US - 1), max_size=5, unique=True).map(sorted)


def version(number: int = 1, *, base_fee_nanos: int = 0, prices: tuple[Price, ...] = ()) -> PlanVersion:
    return PlanVersion(
        f"plv_{number}", "payg", number, "USD", Billing.POSTPAID, base_fee_nanos, prices, utc("2026-01-01T00:00")
    )


def draft(segments: list[PlanSegment], totals: list[UsageTotal], versions: list[PlanVersion]) -> Invoice | None:
    usage = PeriodUsage(segments, totals, {each.id: each for each in versions})
    return assemble(usage, invoice_id="inv_1", account=ACCOUNT, period=PERIOD, computed_at=PERIOD.end)


def consecutive(offsets_us: list[int], fees: list[int]) -> list[PlanSegment]:
    """Segments that tile the period, cut at the offsets, each with a version of its own."""
    bounds = [PERIOD.start, *(PERIOD.start + timedelta(microseconds=offset) for offset in offsets_us), PERIOD.end]
    return [
        PlanSegment(Period(start, end), version(number, base_fee_nanos=fee))
        for number, (start, end, fee) in enumerate(zip(bounds, bounds[1:], fees, strict=False), 1)
    ]


@given(OFFSETS_US, st.integers(1, 10**15))
def test_the_shares_of_one_fee_sum_to_it_to_the_nano(offsets_us: list[int], fee: int) -> None:
    invoice = draft(consecutive(offsets_us, [fee] * 6), [], [])
    assert invoice is not None
    assert sum(line.exact_nanos for line in invoice.lines) == fee
    assert all(line.kind is LineKind.BASE_FEE for line in invoice.lines)


@given(OFFSETS_US, st.lists(st.integers(1, 10**15), min_size=6, max_size=6))
def test_each_share_is_within_a_nano_of_fee_times_time_over_length(offsets_us: list[int], fees: list[int]) -> None:
    segments = consecutive(offsets_us, fees)
    invoice = draft(segments, [], [])
    assert invoice is not None
    for line, segment in zip(invoice.lines, segments, strict=True):
        length_us = (segment.period.end - segment.period.start) // timedelta(microseconds=1)
        assert abs(line.exact_nanos - Fraction(segment.plan_version.base_fee_nanos * length_us, LENGTH_US)) <= 1


def test_time_without_a_plan_costs_no_fee() -> None:
    late = Period(PERIOD.start + timedelta(days=30), PERIOD.end)
    invoice = draft([PlanSegment(late, version(base_fee_nanos=31 * 10**9))], [], [])
    assert invoice is not None
    assert invoice.total_nanos == 10**9


@given(schemes(bound_max=10**6).filter(lambda scheme: rate(scheme, 10**7) < 10**18), st.integers(1, 10**7))
def test_a_usage_line_is_what_rating_says_rounded_once(scheme: PerUnit, units: int) -> None:
    plan = version(prices=(Price("*", Meter.UNITS, scheme),))
    invoice = draft([], [UsageTotal(plan.id, "vgg16", Quantities(requests=1, units=units))], [plan])
    assert invoice is not None
    (line,) = invoice.lines
    assert line.exact_nanos == rate(scheme, units)
    cents = round(Fraction(line.exact_nanos, 10**7))
    assert line.amount_nanos == invoice.total_nanos == cents * 10**7


def test_each_meter_with_a_price_and_a_quantity_has_a_line() -> None:
    meters = (Meter.COMPUTE_MS, Meter.REQUESTS, Meter.UNITS)
    plan = version(prices=tuple(Price("vgg16", meter, PerUnit(10**9)) for meter in meters))
    invoice = draft([], [UsageTotal(plan.id, "vgg16", Quantities(requests=2, units=3))], [plan])
    assert invoice is not None
    assert [(line.meter, line.quantity) for line in invoice.lines] == [(Meter.REQUESTS, 2), (Meter.UNITS, 3)]


def test_lines_stand_in_the_order_of_plan_versions_and_models() -> None:
    first, second = (version(number, prices=(Price("*", Meter.UNITS, PerUnit(1)),)) for number in (1, 2))
    middle = utc("2026-03-15T00:00")
    segments = [PlanSegment(Period(PERIOD.start, middle), second), PlanSegment(Period(middle, PERIOD.end), first)]
    totals = [UsageTotal(plan.id, model, Quantities(units=1)) for plan in (first, second) for model in ("b", "a")]
    invoice = draft(segments, totals, [first, second])
    assert invoice is not None
    assert [(line.plan_version, line.model) for line in invoice.lines] == [(2, "a"), (2, "b"), (1, "a"), (1, "b")]


def test_a_plan_that_was_left_and_taken_up_again_has_one_line_over_both_stretches() -> None:
    plan, other = (version(number, prices=(Price("*", Meter.UNITS, PerUnit(1)),)) for number in (1, 2))
    days = [PERIOD.start + timedelta(days=day) for day in (0, 5, 9, 20)]
    segments = [
        PlanSegment(Period(start, end), each)
        for start, end, each in zip(days, days[1:], (plan, other, plan), strict=False)
    ]
    invoice = draft(segments, [UsageTotal(plan.id, "linear", Quantities(units=5))], [plan])
    assert invoice is not None
    assert [line.period for line in invoice.lines] == [Period(days[0], days[3])]


def test_usage_pinned_to_a_version_that_was_replaced_just_before_the_period_is_still_billed() -> None:
    plan = version(prices=(Price("*", Meter.UNITS, PerUnit(10**9)),))
    invoice = draft([], [UsageTotal(plan.id, "linear", Quantities(units=5))], [plan])
    assert invoice is not None
    assert (invoice.lines[0].period, invoice.total_nanos) == (PERIOD, 5 * 10**9)


def test_neither_usage_nor_fee_is_no_invoice() -> None:
    plan = version(prices=(Price("linear", Meter.UNITS, PerUnit(1)),))
    assert draft([PlanSegment(PERIOD, plan)], [], [plan]) is None
    assert draft([], [UsageTotal(plan.id, "linear", Quantities())], [plan]) is None


@pytest.mark.parametrize(
    ("units", "unit_price_nanos"), [(2, 10**18), (2**63, 0)], ids=["1e9 currency units", "63 bits"]
)
def test_what_one_invoice_cannot_carry_is_refused(units: int, unit_price_nanos: int) -> None:
    plan = version(prices=(Price("*", Meter.UNITS, PerUnit(unit_price_nanos)),))
    with pytest.raises(InvoiceTooLarge, match="acct_1"):
        draft([], [UsageTotal(plan.id, "linear", Quantities(units=units))], [plan])


def test_what_was_paid_from_credit_is_on_no_invoice_and_earned_to_the_nano() -> None:
    price = (Price("*", Meter.UNITS, PerUnit(3)),)
    owed, paid = version(1, prices=price), replace(version(2, prices=price), billing=Billing.PREPAID)
    totals = [UsageTotal(plan.id, "linear", Quantities(units=5)) for plan in (owed, paid)]
    invoice = draft([], totals, [owed, paid])
    assert invoice is not None
    assert [line.plan_version for line in invoice.lines] == [1]
    usage = PeriodUsage([], totals, {plan.id: plan for plan in (owed, paid)})
    assert [(line.plan_version, line.exact_nanos) for line in credit_lines(usage, PERIOD)] == [(2, 15)]
    assert draft([PlanSegment(PERIOD, paid)], totals[1:], [paid]) is None


def test_results_have_a_line_of_their_own() -> None:
    when = Condition("label", among=("cat",))
    plan = version(prices=(Price("*", Meter.RESULTS, PerUnit(10**7), when), Price("*", Meter.UNITS, PerUnit(0))))
    invoice = draft([], [UsageTotal(plan.id, "vgg16", Quantities(requests=2, units=30, results=4))], [plan])
    assert invoice is not None
    assert [(line.meter, line.quantity) for line in invoice.lines] == [(Meter.RESULTS, 4), (Meter.UNITS, 30)]
    assert invoice.total_nanos == 4 * 10**7


def test_usage_that_no_price_or_no_version_covers_is_a_bug() -> None:
    plan = version(prices=(Price("linear", Meter.UNITS, PerUnit(1)),))
    with pytest.raises(InvariantViolation, match="payg, version 1, has no price of vgg16"):
        draft([], [UsageTotal(plan.id, "vgg16", Quantities(units=1))], [plan])
    with pytest.raises(InvariantViolation, match="plv_9"):
        draft([], [UsageTotal("plv_9", "linear", Quantities(units=1))], [plan])
