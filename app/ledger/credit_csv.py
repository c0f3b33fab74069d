"""The history of an account's credit as CSV: what came and what went stand in columns of their own, without a sign."""

from collections.abc import Iterable, Iterator
from datetime import datetime

from app.ledger.credit_history import CreditMovement
from app.money import format_money
from app.spreadsheet import csv_line

_COLUMNS = (
    "id",
    "occurred_at",
    "period_start",
    "period_end",
    "kind",
    "grant",
    "currency",
    "came",
    "went",
    "balance",
)


def credit_csv(movements: Iterable[CreditMovement], currency: str) -> Iterator[str]:
    """Yield the header and a line for each movement, in their order."""
    yield csv_line(_COLUMNS)
    for movement in movements:
        period = movement.period
        yield csv_line(
            [
                movement.id,
                _utc(movement.occurred_at),
                _utc(period.start) if period else None,
                _utc(period.end) if period else None,
                movement.kind,
                movement.grant_id,
                currency,
                format_money(max(0, movement.amount_nanos), currency),
                format_money(max(0, -movement.amount_nanos), currency),
                format_money(movement.balance_nanos, currency),
            ]
        )


def _utc(instant: datetime) -> str:
    return instant.isoformat().replace("+00:00", "Z")
