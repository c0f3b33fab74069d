"""The recorder: usage becomes durable here, in one transaction with its rollup, stored answer and batch facts."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from app.accounts import store as accounts_store
from app.charging import store
from app.charging.claim import Claim, ClaimLost, StoredAnswer
from app.charging.group_commit import GroupCommit
from app.charging.process_lease import ProcessLease
from app.clock import Clock
from app.database import Database, Session
from app.errors import AppError, Unavailable
from app.metering import store as metering_store
from app.metering.usage_event import BatchRecord, DeviceInterval, UsageEvent


class PeriodClosed(Unavailable):
    """The period in which the call was admitted has been invoiced since: it cannot be billed any more."""

    code = "period_closed"


@dataclass(frozen=True, slots=True)
class Record:
    """What one call leaves behind: its event and, where it was claimed, the answer that its repeats get."""

    event: UsageEvent
    claim: Claim | None = None
    answer: StoredAnswer | None = None


Entry = Record | BatchRecord | DeviceInterval


class Recorder:
    """Group commit of usage. `await record(...)` returns once the event is durable."""

    def __init__(
        self, database: Database, clock: Clock, lease: ProcessLease, *, group_max: int, patience_s: float
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease
        self._group: GroupCommit[Entry, None] = GroupCommit(
            "recorder", self._write, group_max=group_max, patience_s=patience_s
        )

    def start(self) -> None:
        """Start the recording thread."""
        self._group.start()

    async def stop(self) -> None:
        """Record what waits, then end the thread."""
        await self._group.stop()

    def record(self, record: Record) -> "asyncio.Future[None]":
        """Queue a call's record; the future ends when it is durable.

        Raises (through the future) DatabaseUnavailable, ClaimLost, PeriodClosed: then nothing was charged.
        """
        return self._group.submit(record)

    def note(self, fact: BatchRecord | DeviceInterval | Record) -> None:
        """Queue a fact that nobody waits for; callable from any thread."""
        self._group.submit_fact(fact)

    @property
    def waiting(self) -> int:
        """How many entries wait to be written."""
        return self._group.waiting

    def _write(self, entries: Sequence[Entry]) -> list[AppError | None]:
        """Write a group. Idempotent: what an earlier try has committed is neither inserted nor counted again."""
        records = [entry for entry in entries if isinstance(entry, Record)]
        now = self._clock.now()
        with self._database.transaction() as session:
            refused = self._refusals(session, records, now)
            events = {record.event.id: record.event for record in records if record.event.id not in refused}
            if events:
                fresh = metering_store.insert_events(session, list(events.values()), now)
                metering_store.add_to_rollup(session, [events[event_id] for event_id in fresh])
            metering_store.insert_batches(session, [entry for entry in entries if isinstance(entry, BatchRecord)])
            for entry in entries:
                if isinstance(entry, DeviceInterval):
                    metering_store.extend_device_interval(session, entry)
        return [refused.get(entry.event.id) if isinstance(entry, Record) else None for entry in entries]

    def _refusals(self, session: Session, records: Sequence[Record], now: datetime) -> dict[str, AppError]:
        """Return, by event id, why a record must not be charged: its period is closed, or its claim is gone."""
        if not records:
            return {}
        closed = accounts_store.closed_through(session, sorted({record.event.account_id for record in records}))
        refused: dict[str, AppError] = {}
        for record in records:
            limit = closed.get(record.event.account_id)
            if limit is not None and record.event.occurred_at < limit:
                refused[record.event.id] = PeriodClosed("the period of this call was closed; nothing was charged")
        claimed = [
            (record.claim, record.answer)
            for record in records
            if record.claim and record.answer and record.event.id not in refused
        ]
        if claimed:
            held = store.complete_claims(session, claimed, lease_id=self._lease.id, now=now)
            for claim, _ in claimed:
                if claim.event_id not in held:
                    refused[claim.event_id] = ClaimLost(
                        "another call under this Idempotency-Key counts", retry_after_s=1
                    )
        return refused
