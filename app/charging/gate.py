"""The gate: the right to run once, and what a call may cost at most, before it runs.

Waiting calls share one short transaction, atomic and not durable: what a crash of the database loses of it, the
recorder takes again or refuses unbilled.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from app.charging import metrics, store
from app.charging.claim import Claim, ClaimLost, IdempotencyKeyReused, StillRunning, StoredAnswer
from app.charging.gate_book import GateBook, PlanVersionShelf, open_book
from app.charging.gate_refusal import reason_of
from app.charging.group_commit import CommitQueueFull, GroupCommit
from app.charging.hold import HoldRequest
from app.charging.process_lease import ProcessLease
from app.clock import Clock
from app.database import Database, DatabaseUnavailable, Session
from app.errors import AppError

_RETRY_AFTER_S = 1


class Granted:
    """The caller may run: it holds its claim, and what it may cost is set aside."""


@dataclass(frozen=True, slots=True)
class Pass:
    """What a call asks of the gate: a claim of its idempotency key, a hold, or both."""

    claim: Claim | None = None
    hold: HoldRequest | None = None

    @property
    def needed(self) -> bool:
        """Whether the call has anything to ask for; most have not, and pass by."""
        return self.claim is not None or self.hold is not None

    @property
    def event_id(self) -> str:
        """The call that asks."""
        return self.claim.event_id if self.claim else self.hold.event_id if self.hold else ""


@dataclass(frozen=True, slots=True)
class _Leave:
    """A call that ended without a record, or never began: it gives back what it has."""

    entered: Pass


Verdict = Granted | StoredAnswer
_OF_CLAIMS = (IdempotencyKeyReused, StillRunning)
_GRANTED = Granted()


class Gate:
    """Lets each idempotency key pass once, and no account beyond its balance, its budgets and its quotas."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        lease: ProcessLease,
        shelf: PlanVersionShelf,
        *,
        group_max: int,
        patience_s: float,
        answer_ttl: timedelta,
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease
        self._shelf = shelf
        self._answer_ttl = answer_ttl
        self._group: GroupCommit[Pass | _Leave, Verdict] = GroupCommit(
            "gate", self._write, group_max=group_max, patience_s=patience_s
        )

    def start(self) -> None:
        """Start the gate's thread."""
        self._group.start()

    async def stop(self) -> None:
        """Write what waits, then end the thread."""
        await self._group.stop()

    async def enter(self, entry: Pass) -> Verdict:
        """Return Granted, or the stored answer of the call that came first under the same key.

        Raises IdempotencyKeyReused for another request under the same key, StillRunning while the first one runs, and
        InsufficientBalance, BudgetExceeded, QuotaExceeded: then nothing is claimed or held.
        """
        waiting = self._group.submit(entry)
        try:
            return await waiting
        except asyncio.CancelledError:
            self._leave_behind(entry)
            raise
        except DatabaseUnavailable:
            self.leave(entry)  # it may have been granted all the same, and nobody will run under it
            raise

    async def find_answer(self, claim: Claim) -> StoredAnswer | None:
        """Return the answer that is stored for this very request, if any; None while the database is away, too."""
        return await asyncio.to_thread(self._find_answer, claim)

    async def complete(self, claim: Claim, answer: StoredAnswer) -> None:
        """Store the answer of a claimed request whose effect is in the books already.

        Raises ClaimLost where the claim went to another process, DatabaseUnavailable.
        """
        await asyncio.to_thread(self._complete, claim, answer)

    def leave(self, entry: Pass) -> None:
        """Free the key and give back the hold of a call that failed. While the database is away this is tried again.

        Where the call was recorded after all nothing is changed.
        """
        self._group.submit_fact(_Leave(entry))

    def _leave_behind(self, entry: Pass) -> None:
        """Leave in the order of arrival: the entry may still wait, and must not pass after it has left."""

        def try_again(left: "asyncio.Future[Verdict]") -> None:
            if not left.cancelled() and left.exception() is not None:
                self.leave(entry)

        try:
            self._group.submit(_Leave(entry)).add_done_callback(try_again)
        except CommitQueueFull:
            self.leave(entry)

    def _write(self, entries: Sequence[Pass | _Leave]) -> list[Verdict | AppError]:
        now = self._clock.now()
        left = {entry.entered.event_id for entry in entries if isinstance(entry, _Leave)}
        passes = [entry for entry in entries if isinstance(entry, Pass) and entry.event_id not in left]
        with self._database.transaction(durable=False) as session:
            leaving = [entry.entered for entry in entries if isinstance(entry, _Leave)]
            store.release_claims(session, [each.claim for each in leaving if each.claim])
            verdicts = self._claim(session, [each.claim for each in passes if each.claim], now)
            asking = [each for each in passes if each.hold and each.event_id not in verdicts]
            holding = {each.hold.event_id: each.hold.account_id for each in leaving if each.hold}
            if asking or holding:
                verdicts |= self._hold(session, asking, holding, now)
        _count(passes, verdicts)
        return [verdicts.get(entry.event_id, _GRANTED) if isinstance(entry, Pass) else _GRANTED for entry in entries]

    def _claim(self, session: Session, claims: Sequence[Claim], now: datetime) -> dict[str, Verdict | AppError]:
        """Take the claims; return by event id what a call gets instead whose key was taken."""
        if not claims:
            return {}
        granted = store.insert_claims(session, claims, lease_id=self._lease.id, now=now)
        second = sorted((claim for claim in claims if claim.event_id not in granted), key=_key_of)
        verdicts = {claim.event_id: self._second_claim(session, claim, now) for claim in second}
        return {event_id: verdict for event_id, verdict in verdicts.items() if verdict is not _GRANTED}

    def _hold(
        self, session: Session, asking: Sequence[Pass], leaving: dict[str, str], now: datetime
    ) -> dict[str, Verdict | AppError]:
        """Give back what calls hold that leave, then set aside for those that ask; return refusals by event id."""
        requests = [each.hold for each in asking if each.hold]
        book = open_book(session, self._shelf, requests, leaving, now=now)
        released = [event_id for event_id in sorted(leaving) if book.release(event_id)]
        refusals: dict[str, Verdict | AppError] = dict(_refusals(book, requests))
        book.save(session, lease_id=self._lease.id)
        store.release_claims(session, [each.claim for each in asking if each.claim and each.event_id in refusals])
        metrics.holds_released.labels("failed").inc(len(released))
        return refusals

    def _complete(self, claim: Claim, answer: StoredAnswer) -> None:
        with self._database.transaction() as session:
            held = store.complete_claims(session, [(claim, answer)], lease_id=self._lease.id, now=self._clock.now())
        if not held:
            raise ClaimLost("another call under this Idempotency-Key counts", retry_after_s=1)

    def _find_answer(self, claim: Claim) -> StoredAnswer | None:
        try:
            with self._database.reading() as session:
                found = store.find_claim(session, claim)
        except DatabaseUnavailable:  # the caller has an error of its own to tell, which says more
            return None
        if found is None:
            return None
        holder, answer, _, claimed_at = found
        kept = claimed_at + self._answer_ttl > self._clock.now()
        return answer if kept and holder.request_digest == claim.request_digest else None

    def _second_claim(self, session: Session, claim: Claim, now: datetime) -> Verdict | AppError:
        found = store.lock_claim(session, claim)
        if found is not None:
            holder, answer, process_lives, claimed_at = found
            if holder.event_id == claim.event_id:
                return _GRANTED  # by an earlier try, whose commit was not confirmed
            abandoned = answer is None and not process_lives
            if not abandoned and claimed_at + self._answer_ttl > now:
                return _verdict_on_repeat(claim, holder, answer)
            store.delete_claim(session, holder)
        granted = store.insert_claims(session, [claim], lease_id=self._lease.id, now=now)
        return _GRANTED if granted else _still_running()


def _refusals(book: GateBook, requests: Sequence[HoldRequest]) -> Iterator[tuple[str, AppError]]:
    for request in requests:
        try:
            book.take(request)
        except AppError as refusal:
            yield request.event_id, refusal


def _count(passes: Sequence[Pass], verdicts: dict[str, Verdict | AppError]) -> None:
    for entry in passes:
        verdict = verdicts.get(entry.event_id)
        if entry.claim:
            metrics.claims.labels(_result_of(verdict)).inc()
        if entry.hold and verdict is None:
            metrics.holds_granted.inc()
        elif entry.hold and isinstance(verdict, AppError) and not isinstance(verdict, _OF_CLAIMS):
            metrics.holds_refused.labels(reason_of(verdict)).inc()


def _result_of(verdict: Verdict | AppError | None) -> str:
    if isinstance(verdict, StoredAnswer):
        return "replayed"
    if isinstance(verdict, StillRunning):
        return "in_use"
    return "refused" if isinstance(verdict, IdempotencyKeyReused) else "granted"


def _verdict_on_repeat(claim: Claim, holder: Claim, answer: StoredAnswer | None) -> Verdict | AppError:
    if claim.request_digest != holder.request_digest:
        return IdempotencyKeyReused(
            "this Idempotency-Key was used with another request",
            where="Idempotency-Key",
            hint="use a new key for a new request",
        )
    return answer if answer is not None else _still_running()


def _still_running() -> StillRunning:
    return StillRunning(
        "the first call with this Idempotency-Key has not ended", where="Idempotency-Key", retry_after_s=_RETRY_AFTER_S
    )


def _key_of(claim: Claim) -> tuple[str, str]:
    return claim.account_id, claim.idempotency_key
