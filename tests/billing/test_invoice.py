"""An invoice whose sums disagree cannot exist."""

from dataclasses import replace
from typing import Any

import pytest

from app.billing.invoice import Invoice, InvoiceLine, InvoiceStatus, LineKind
from app.errors import InvariantViolation
from app.metering.meter import Meter
from app.period import Period
from app.rating.rated_part import RatedPart
from tests.billing.books import utc

PERIOD = Period(utc("2026-03-01T00:00"), utc("2026-04-01T00:00"))
LINE = InvoiceLine(
    kind=LineKind.USAGE,
    period=PERIOD,
    plan_version_id="plv_1",
    plan_key="payg",
    plan_version=1,
    model="vgg16",
    meter=Meter.UNITS,
    quantity=1500,
    parts=(RatedPart(1000, 0), RatedPart(500, 2_011_000)),
    exact_nanos=1_005_500_000,
    amount_nanos=1_010_000_000,
)
FEE = InvoiceLine(
    kind=LineKind.BASE_FEE,
    period=PERIOD,
    plan_version_id="plv_1",
    plan_key="payg",
    plan_version=1,
    model=None,
    meter=None,
    quantity=1,
    parts=(),
    exact_nanos=2_500_000_000,
    amount_nanos=2_500_000_000,
)
DRAFT = Invoice(
    id="inv_1",
    account_id="acct_1",
    currency="USD",
    period=PERIOD,
    lines=(FEE, LINE),
    subtotal_nanos=3_510_000_000,
    tax_nanos=0,
    total_nanos=3_510_000_000,
    computed_at=utc("2026-04-01T02:00"),
)
LATER = utc("2026-04-01T02:00")


def test_lines_say_what_they_charge_for() -> None:
    assert LINE.description == "vgg16, 1,500 units: 1,000 at 0, 500 at 0.002011"
    assert FEE.description == "Base fee of plan payg, version 1"


def test_issuing_gives_a_draft_its_number_and_changes_no_figure() -> None:
    issued = DRAFT.issue("INV-000007", LATER)
    assert issued == replace(DRAFT, number="INV-000007", status=InvoiceStatus.ISSUED, issued_at=LATER)


def test_an_issued_invoice_is_not_issued_again_and_none_before_its_period_is_over() -> None:
    with pytest.raises(InvariantViolation, match="issued already, as INV-000007"):
        DRAFT.issue("INV-000007", LATER).issue("INV-000008", LATER)
    with pytest.raises(InvariantViolation, match="after its period"):
        DRAFT.issue("INV-000007", utc("2026-03-31T23:59"))


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"subtotal_nanos": 3_500_000_000, "total_nanos": 3_500_000_000}, "do not sum to the subtotal"),
        ({"total_nanos": 3_520_000_000}, "do not sum to the total"),
        ({"tax_nanos": 10_000_000}, "do not sum to the total"),
        ({"tax_nanos": -4_000_000_000, "total_nanos": -490_000_000}, "not between 0 and 1e9"),
        ({"tax_nanos": 10**18, "total_nanos": 10**18 + 3_510_000_000}, "not between 0 and 1e9"),
        ({"currency": "JPY"}, "is not 2500000000 rounded once"),
        ({"number": "INV-000001"}, "neither number nor date"),
        ({"issued_at": LATER}, "neither number nor date"),
        ({"status": InvoiceStatus.ISSUED}, "has a number"),
        ({"status": InvoiceStatus.ISSUED, "number": "INV-000001"}, "has a number"),
    ],
)
def test_an_invoice_that_contradicts_itself_cannot_be_made(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvariantViolation, match=said):
        replace(DRAFT, **wrong)


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"quantity": 1499}, "not its quantity 1499"),
        ({"exact_nanos": 1_005_500_001}, "not its amount 1005500001"),
        ({"model": None}, "names a model and a meter"),
        ({"meter": None}, "names a model and a meter"),
        ({"kind": LineKind.BASE_FEE}, "names a model and a meter"),
    ],
)
def test_a_line_that_contradicts_itself_cannot_be_made(wrong: dict[str, Any], said: str) -> None:
    with pytest.raises(InvariantViolation, match=said):
        replace(LINE, **wrong)


def test_a_line_is_rounded_half_even_and_not_half_up() -> None:
    half_up = replace(
        LINE, parts=(RatedPart(1, 5_000_000),), quantity=1, exact_nanos=5_000_000, amount_nanos=10_000_000
    )
    with pytest.raises(InvariantViolation, match="10000000 is not 5000000 rounded once"):
        replace(DRAFT, lines=(half_up,), subtotal_nanos=10_000_000, total_nanos=10_000_000)
