"""The recorder: usage becomes durable here, in one transaction with its rollup, settlement, stored answer."""

import asyncio
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from app.accounts.store import BookingFacts, booking_facts
from app.charging import claim_store
from app.charging.claim import Claim, ClaimLost, StoredAnswer
from app.charging.gate_book import PlanVersionShelf
from app.charging.group_commit import GroupCommit
from app.charging.hold import HoldRequest
from app.charging.open_gate import with_gates
from app.charging.process_lease import ProcessLease
from app.charging.settlement import open_settlement, settle
from app.clock import Clock
from app.database import Database, Session
from app.errors import AppError, Unavailable
from app.group_sql import in_one_go
from app.metering import store as metering_store
from app.metering.usage_event import BatchRecord, DeviceInterval, Outcome, UsageEvent


class PeriodClosed(Unavailable):
    """The period in which the call was admitted has been invoiced since: it cannot be billed any more."""

    code = "period_closed"


@dataclass(frozen=True, slots=True)
class Record:
    """What one call leaves behind: its event and, where it was claimed, the answer that its repeats get.

    `hold` is what it asked the gate for, or would have asked if its account had been known to have a gate.
    """

    event: UsageEvent
    claim: Claim | None = None
    answer: StoredAnswer | None = None
    hold: HoldRequest | None = None


Entry = Record | BatchRecord | DeviceInterval


class Recorder:
    """Group commit of usage. `await record(...)` returns once the event is durable."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        lease: ProcessLease,
        shelf: PlanVersionShelf,
        *,
        group_max: int,
        patience_s: float,
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease
        self._shelf = shelf
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

        Raises (through the future) DatabaseUnavailable, ClaimLost, PeriodClosed, HoldLost: then nothing was charged.
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
        return with_gates(self._database, self._clock, lambda: self._write_all(entries))

    def _write_all(self, entries: Sequence[Entry]) -> list[AppError | None]:
        records = [entry for entry in entries if isinstance(entry, Record)]
        now = self._clock.now()
        with self._database.transaction() as session:
            refused = self._book(session, records, now) if records else {}
            metering_store.insert_batches(session, [entry for entry in entries if isinstance(entry, BatchRecord)])
            for entry in entries:
                if isinstance(entry, DeviceInterval):
                    metering_store.extend_device_interval(session, entry)
        return [refused.get(entry.event.id) if isinstance(entry, Record) else None for entry in entries]

    def _book(self, session: Session, records: Sequence[Record], now: datetime) -> dict[str, AppError]:
        """Book what may be charged; return, by event id, why the rest must not be: nothing of that is booked.

        The order is that of all locks: accounts, claims, gates, and what counts.
        """
        facts = booking_facts(session, sorted({record.event.account_id for record in records}))
        refused = _late(records, facts)
        refused |= self._lost_claims(session, [each for each in records if each.event.id not in refused], now)
        requests = [
            record.hold
            for record in records
            if record.hold and _gated(record, facts) and record.event.id not in refused
        ]
        settlement = open_settlement(session, self._shelf, requests) if requests else None
        if settlement and settlement.refused:
            self._undo_claims(session, records, settlement.refused.keys())
            refused |= settlement.refused
        events = {record.event.id: record.event for record in records if record.event.id not in refused}
        if events:
            fresh = metering_store.insert_events(session, list(events.values()), now)
            booked = [events[event_id] for event_id in fresh]
            with in_one_go(session):
                metering_store.add_to_rollup(session, booked)
                if settlement:
                    settle(session, settlement, booked, lease_id=self._lease.id, now=now)
        return refused

    def _lost_claims(self, session: Session, records: Sequence[Record], now: datetime) -> dict[str, AppError]:
        """Store the answers of claimed calls; return those whose claim has gone to another process."""
        claimed = [(record.claim, record.answer) for record in records if record.claim and record.answer]
        if not claimed:
            return {}
        held = claim_store.complete_claims(session, claimed, lease_id=self._lease.id, now=now)
        return {
            claim.event_id: ClaimLost("another call under this Idempotency-Key counts", retry_after_s=1)
            for claim, _ in claimed
            if claim.event_id not in held
        }

    def _undo_claims(self, session: Session, records: Sequence[Record], refused: Collection[str]) -> None:
        """Let the keys go of calls whose answers were stored a moment ago, and which are not charged after all."""
        for record in records:
            if record.claim and record.event.id in refused:
                claim_store.delete_claim(session, record.claim)


def _gated(record: Record, facts: Mapping[str, BookingFacts]) -> bool:
    """Tell whether the call has to be settled: a failed one uses nothing, and its hold is released."""
    account = facts.get(record.event.account_id)
    return account is not None and account.gated and record.event.outcome is Outcome.SUCCEEDED


def _late(records: Sequence[Record], facts: Mapping[str, BookingFacts]) -> dict[str, AppError]:
    """Return the records whose period has been closed."""
    refused: dict[str, AppError] = {}
    for record in records:
        account = facts.get(record.event.account_id)
        if account and account.closed_through and record.event.occurred_at < account.closed_through:
            refused[record.event.id] = PeriodClosed("the period of this call was closed; nothing was charged")
    return refused
