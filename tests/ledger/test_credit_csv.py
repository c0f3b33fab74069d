"""The history of credit as a file: amounts have no sign, so that no spreadsheet takes one for a formula."""

import csv
import io
from datetime import UTC, datetime

from app.ledger.credit_csv import credit_csv
from app.ledger.credit_history import CreditMovement
from app.ledger.journal_entry import SourceKind

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)


def movement(kind: SourceKind, amount_nanos: int, balance_nanos: int, grant_id: str | None) -> CreditMovement:
    return CreditMovement(
        id=f"entry_{kind}",
        kind=kind,
        grant_id=grant_id,
        occurred_at=NOON,
        amount_nanos=amount_nanos,
        balance_nanos=balance_nanos,
    )


def test_what_came_and_what_went_stand_apart() -> None:
    movements = [
        movement(SourceKind.USAGE, -30_000, 9_999_970_000, None),
        movement(SourceKind.GRANT, 10_000_000_000, 10_000_000_000, "grant_1"),
    ]
    text = "".join(credit_csv(movements, "USD"))
    assert list(csv.reader(io.StringIO(text, newline=""))) == [
        ["id", "occurred_at", "period_start", "period_end", "kind", "grant", "currency", "came", "went", "balance"],
        [
            "entry_usage",
            *(f"2026-03-15T12:{minute}:00Z" for minute in ("00", "00", "15")),
            "usage",
            "",
            "USD",
            "0.00",
            "0.00003",
            "9.99997",
        ],
        ["entry_grant", "2026-03-15T12:00:00Z", "", "", "grant", "grant_1", "USD", "10.00", "0.00", "10.00"],
    ]
