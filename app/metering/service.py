"""Reading usage: reports by zone, and events page by page."""

from collections.abc import Collection, Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from app.database import Database
from app.metering import store
from app.metering.report_store import usage_rows
from app.metering.usage_event import RecordedEvent
from app.metering.usage_range import stretches_of
from app.metering.usage_report import Bucket, GroupBy, UsageRow
from app.period import Month, Period

EXPORT_PAGE_ROWS = 5_000


class Metering:
    """What was used: by live keys (`live=True`), by test keys (False), or by both (None)."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def report(
        self,
        account_id: str,
        period: Period,
        *,
        zone: ZoneInfo,
        bucket: Bucket,
        group_by: GroupBy | None,
        live: bool | None = None,
    ) -> list[UsageRow]:
        """Return the account's usage of a period by local bucket and group."""
        stretches = stretches_of(period, bucket, zone)
        with self._database.reading() as session:
            return usage_rows(session, account_id, stretches, group_by, live=live)

    def last_used(self, account_id: str, key_ids: Collection[str]) -> dict[str, datetime]:
        """Return when each of the keys was last used, to the quarter of an hour; a key that never was is left out."""
        with self._database.reading() as session:
            return store.last_used_by_key(session, account_id, key_ids)

    def ever_used(self, account_id: str) -> bool:
        """Tell whether the account ever called a model, with whatever key."""
        with self._database.reading() as session:
            return store.is_used(session, account_id)

    def events(
        self, account_id: str, period: Period, *, after: str, limit: int, live: bool | None = None
    ) -> list[RecordedEvent]:
        """Return events in the order of their ids, those behind the id `after`."""
        with self._database.reading() as session:
            return store.list_events(session, account_id, period, live=live, after=after, limit=limit)

    def every_event(self, account_id: str, period: Period, *, live: bool | None = None) -> Iterator[RecordedEvent]:
        """Yield all events of a period; no transaction is open while the reader takes its time."""
        after = ""
        while page := self.events(account_id, period, live=live, after=after, limit=EXPORT_PAGE_ROWS):
            yield from page
            after = page[-1].event.id

    def make_partitions(self, now: datetime) -> None:
        """Make the partitions of this month and the two to come."""
        with self._database.transaction() as session:
            store.ensure_partitions(session, Month(now.year, now.month), months=3)
