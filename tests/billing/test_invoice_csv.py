import csv
import io
from dataclasses import replace

from app.billing.invoice_csv import invoice_csv
from tests.billing.test_invoice import DRAFT, FEE, LATER, LINE


def test_a_line_is_a_record_with_exact_and_rounded_amounts() -> None:
    records = list(csv.DictReader(io.StringIO(invoice_csv(DRAFT.issue("INV-000007", LATER)))))
    assert records[1] == {
        "invoice": "inv_1",
        "number": "INV-000007",
        "status": "issued",
        "currency": "USD",
        "kind": "usage",
        "description": "vgg16, 1,500 units: 1,000 at 0, 500 at 0.002011",
        "period_start": "2026-03-01T00:00:00Z",
        "period_end": "2026-04-01T00:00:00Z",
        "plan": "payg",
        "plan_version": "1",
        "model": "vgg16",
        "meter": "units",
        "quantity": "1500",
        "exact_amount": "1.0055",
        "amount": "1.01",
    }
    assert records[0]["description"] == "Base fee of plan payg, version 1"
    assert (records[0]["model"], records[0]["meter"], records[0]["amount"]) == ("", "", "2.50")


def test_a_text_that_a_spreadsheet_would_run_is_made_harmless() -> None:
    trap = replace(LINE, model="=HYPERLINK(1)", plan_key="@SUM(1)")
    (_, record) = csv.DictReader(io.StringIO(invoice_csv(replace(DRAFT, lines=(FEE, trap)))))
    assert record["model"] == "'=HYPERLINK(1)"
    assert record["description"].startswith("'=")
    assert record["plan"] == "'@SUM(1)"
