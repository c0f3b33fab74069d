"""Usage events as CSV, one record an event, that a spreadsheet opens without running anything in it."""

from collections.abc import Iterator
from itertools import chain, islice
from typing import Any

from app.metering.usage_event import RecordedEvent
from app.money import format_money
from app.spreadsheet import csv_line

LINES_OF_A_PIECE = 500
COLUMNS = (
    "id",
    "occurred_at",
    "recorded_at",
    "key",
    "test",
    "model",
    "version",
    "plan_version",
    "outcome",
    "delivered",
    "units",
    "results",
    "compute_us",
    "queue_us",
    "input_bytes",
    "output_bytes",
    "batch",
    "amount",
)


def event_csv(events: Iterator[RecordedEvent], currency: str) -> Iterator[str]:
    """Return the header and one line an event, in pieces of many lines: each piece costs a hop between threads.

    `currency` is the one of the account that made the calls.
    The first event is read at once: what is wrong is an error still, and would be a broken file once lines are sent.
    """
    first = next(events, None)
    return _pieces(chain([first], events) if first else iter(()), currency)


def event_facts(recorded: RecordedEvent, currency: str) -> dict[str, Any]:
    """Return what an event tells of itself, by column: instants in UTC, the amount as a decimal string."""
    event = recorded.event
    amount = None if event.amount_nanos is None else format_money(event.amount_nanos, currency)
    values = (
        event.id,
        event.occurred_at.isoformat().replace("+00:00", "Z"),
        recorded.recorded_at.isoformat().replace("+00:00", "Z"),
        event.key_id,
        not event.live,
        event.model,
        event.version,
        event.plan_version_id,
        event.outcome.value,
        event.delivered,
        event.units,
        event.results,
        event.compute_us,
        event.queue_us,
        event.input_bytes,
        event.output_bytes,
        event.batch_id,
        amount,
    )
    return dict(zip(COLUMNS, values, strict=True))


def _pieces(events: Iterator[RecordedEvent], currency: str) -> Iterator[str]:
    yield csv_line(COLUMNS)
    while piece := "".join(_line(each, currency) for each in islice(events, LINES_OF_A_PIECE)):
        yield piece


def _line(recorded: RecordedEvent, currency: str) -> str:
    return csv_line(event_facts(recorded, currency).values())
