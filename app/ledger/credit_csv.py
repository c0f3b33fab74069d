"""The history of an account's credit as CSV: what came and what went stand in columns of their own, without a sign."""

from collections.abc import Iterable, Iterator

from app.ledger.credit_history import CreditMovement
from app.money import format_money
from app.spreadsheet import csv_line


def credit_csv(movements: Iterable[CreditMovement], currency: str) -> Iterator[str]:
    """Yield the header and a line for each movement, in their order."""
    yield csv_line(["id", "occurred_at", "kind", "grant", "currency", "came", "went", "balance"])
    for movement in movements:
        yield csv_line(
            [
                movement.id,
                movement.occurred_at.isoformat().replace("+00:00", "Z"),
                movement.kind,
                movement.grant_id,
                currency,
                format_money(max(0, movement.amount_nanos), currency),
                format_money(max(0, -movement.amount_nanos), currency),
                format_money(movement.balance_nanos, currency),
            ]
        )
