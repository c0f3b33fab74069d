"""A usage report as CSV: instants twice, for machines and for people, and nothing that a spreadsheet would run."""

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from app.metering.event_csv import COLUMNS, LINES_OF_A_PIECE, event_csv
from app.metering.meter import Quantities
from app.metering.usage_csv import usage_csv
from app.metering.usage_event import RecordedEvent
from app.metering.usage_report import GroupBy, UsageRow
from tests.builders import NOON, make_event

KATHMANDU = ZoneInfo("Asia/Kathmandu")
ROW = UsageRow(datetime(2026, 3, 14, 18, 15, tzinfo=UTC), "linear/1", Quantities(1, 2, 3, 4), failed=5)


def test_a_row_names_its_start_in_utc_and_by_the_clocks_of_the_zone() -> None:
    assert usage_csv([ROW], GroupBy.VERSION, KATHMANDU).splitlines() == [
        "start,local,version,requests,units,compute_ms,results,failed",
        "2026-03-14T18:15:00Z,2026-03-15T00:00:00+05:45,linear/1,1,2,3,4,5",
    ]


def test_rows_that_are_not_told_apart_have_no_column_for_it() -> None:
    assert usage_csv([], None, KATHMANDU) == "start,local,requests,units,compute_ms,results,failed\r\n"


def test_a_group_that_reads_like_a_formula_is_text() -> None:
    row = UsageRow(NOON, "=HYPERLINK(0)", Quantities(), failed=0)
    assert ",'=HYPERLINK(0)," in usage_csv([row], GroupBy.MODEL, KATHMANDU)


def test_events_are_read_before_the_first_line_is_sent() -> None:
    read: list[str] = []

    def events() -> Iterator[RecordedEvent]:
        read.append("first")
        yield RecordedEvent(make_event(amount_nanos=10_000), NOON)

    lines = event_csv(events(), "USD")
    assert read == ["first"]
    header, line = lines
    assert header == ",".join(COLUMNS) + "\r\n"
    assert line.endswith(",0.00001\r\n")


def test_many_events_are_sent_in_few_pieces_none_of_which_holds_very_many() -> None:
    count = 2 * LINES_OF_A_PIECE + 1
    pieces = list(event_csv((RecordedEvent(make_event(), NOON) for _ in range(count)), "USD"))
    assert [piece.count("\r\n") for piece in pieces] == [1, LINES_OF_A_PIECE, LINES_OF_A_PIECE, 1]
