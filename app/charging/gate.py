"""The gate: the right to run once, and what a call may cost at most, before it runs.

Waiting calls share one short transaction, atomic and not durable: what a crash of the database loses of it, the
recorder takes again or refuses unbilled.
"""

import asyncio
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import groupby
from operator import itemgetter

from app.charging import claim_store, metrics
from app.charging.claim import Claim, ClaimLost, IdempotencyKeyReused, StillRunning, StoredAnswer
from app.charging.claim_store import key_of
from app.charging.gate_book import GateBook, PlanVersionShelf, open_book
from app.charging.gate_refusal import reason_of
from app.charging.group_commit import GroupCommit
from app.charging.hold import HoldRequest
from app.charging.open_gate import with_gates
from app.charging.process_lease import ProcessLease
from app.clock import Clock
from app.database import CommitUncertain, Database, DatabaseUnavailable, Session
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
Verdicts = dict[str, Verdict | AppError]  # by event id; what is granted is absent
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
            "gate", self._write, group_max=group_max, patience_s=patience_s, facts_max=None
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
            self._group.submit_behind(_Leave(entry))  # it may still wait, and must not pass after it has left
            raise
        except CommitUncertain:
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

        Where the call was recorded after all nothing is changed. It is never dropped: what a call that has ended goes
        on holding is an account's money.
        """
        self._group.submit_fact(_Leave(entry))

    def _write(self, entries: Sequence[Pass | _Leave]) -> list[Verdict | AppError]:
        leaving = [entry.entered for entry in entries if isinstance(entry, _Leave)]
        left = {each.event_id for each in leaving}
        passes = [entry for entry in entries if isinstance(entry, Pass) and entry.event_id not in left]
        verdicts, to_take_over = with_gates(self._database, self._clock, lambda: self._let_pass(passes, leaving))
        if to_take_over:
            verdicts |= self._take_over(to_take_over)
        verdicts = {event_id: verdict for event_id, verdict in verdicts.items() if verdict is not _GRANTED}
        _count(passes, verdicts)
        return [verdicts.get(entry.event_id, _GRANTED) if isinstance(entry, Pass) else _GRANTED for entry in entries]

    def _let_pass(self, passes: Sequence[Pass], leaving: Sequence[Pass]) -> tuple[Verdicts, list[Pass]]:
        """Let calls leave and pass; return verdicts, and the calls whose key has to be taken over first."""
        with self._database.transaction(durable=False) as session:
            now = self._clock.now()
            second = self._claim(session, [each.claim for each in passes if each.claim], leaving, now)
            holders = claim_store.find_claims(session, second)
            verdicts = {
                claim.event_id: self._second_verdict(claim, holders.get(key_of(claim)), now) for claim in second
            }
            told: Verdicts = {event_id: verdict for event_id, verdict in verdicts.items() if verdict is not None}
            asking = [each for each in passes if verdicts.get(each.event_id, _GRANTED) is _GRANTED]
            told |= self._hold(session, asking, leaving)
        return told, [each for each in passes if verdicts.get(each.event_id, _GRANTED) is None]

    def _claim(self, session: Session, claims: Sequence[Claim], leaving: Sequence[Pass], now: datetime) -> list[Claim]:
        """Free the keys of those that leave and take those of the others; return the claims whose key is taken.

        All in one order of keys: two processes that free first and take then would wait for each other.
        """
        steps = [(key_of(each.claim), False, each.claim) for each in leaving if each.claim]
        steps += [(key_of(claim), True, claim) for claim in claims]
        granted: set[str] = set()
        for is_taken, run in groupby(sorted(steps, key=itemgetter(0, 1)), key=itemgetter(1)):
            some = [claim for _, _, claim in run]
            if is_taken:
                granted |= claim_store.insert_claims(session, some, lease_id=self._lease.id, now=now)
            else:
                claim_store.release_claims(session, some)
        return [claim for claim in claims if claim.event_id not in granted]

    def _take_over(self, passes: Sequence[Pass]) -> Verdicts:
        """Let calls pass whose keys belong to calls that are gone: key by key, in a transaction that holds no other.

        Raises CommitUncertain while the database is away: what came before it in the group has passed.
        """
        try:
            return with_gates(self._database, self._clock, lambda: self._take_keys(passes))
        except DatabaseUnavailable as error:
            raise CommitUncertain("the database went away between two parts of a group") from error

    def _take_keys(self, passes: Sequence[Pass]) -> Verdicts:
        claims = sorted((each.claim for each in passes if each.claim), key=key_of)
        with self._database.transaction(durable=False) as session:
            now = self._clock.now()
            verdicts = {claim.event_id: self._second_claim(session, claim, now) for claim in claims}
            asking = [each for each in passes if verdicts[each.event_id] is _GRANTED]
            return verdicts | self._hold(session, asking, [])

    def _hold(self, session: Session, asking: Sequence[Pass], leaving: Sequence[Pass]) -> Verdicts:
        """Give back what calls hold that leave, then set aside for those that ask; return refusals by event id."""
        requests = [each.hold for each in asking if each.hold]
        held = {each.hold.event_id: each.hold.account_id for each in leaving if each.hold}
        if not requests and not held:
            return {}
        book = open_book(session, self._shelf, requests, held)
        released = [event_id for event_id in sorted(held) if book.release(event_id)]
        refusals: Verdicts = dict(_refusals(book, requests))
        book.save(session, lease_id=self._lease.id)
        claim_store.release_claims(session, [each.claim for each in asking if each.claim and each.event_id in refusals])
        metrics.holds_released.labels("failed").inc(len(released))
        return refusals

    def _complete(self, claim: Claim, answer: StoredAnswer) -> None:
        with self._database.transaction() as session:
            held = claim_store.complete_claims(
                session, [(claim, answer)], lease_id=self._lease.id, now=self._clock.now()
            )
        if not held:
            raise ClaimLost("another call under this Idempotency-Key counts", retry_after_s=1)

    def _find_answer(self, claim: Claim) -> StoredAnswer | None:
        try:
            with self._database.reading() as session:
                found = claim_store.find_claim(session, claim)
        except DatabaseUnavailable:  # the caller has an error of its own to tell, which says more
            return None
        if found is None:
            return None
        holder, answer, _, claimed_at = found
        kept = claimed_at + self._answer_ttl > self._clock.now()
        return answer if kept and holder.request_digest == claim.request_digest else None

    def _second_claim(self, session: Session, claim: Claim, now: datetime) -> Verdict | AppError:
        """Take a key over from a call that is gone, where it still is."""
        found = claim_store.lock_claim(session, claim)
        verdict = self._second_verdict(claim, found, now)
        if verdict is not None:
            return verdict
        if found is not None:
            claim_store.delete_claim(session, found[0])
        granted = claim_store.insert_claims(session, [claim], lease_id=self._lease.id, now=now)
        return _GRANTED if granted else _still_running()

    def _second_verdict(
        self, claim: Claim, found: claim_store.FoundClaim | None, now: datetime
    ) -> Verdict | AppError | None:
        """Return what a call gets whose key was taken; None where its holder is gone, so that it may be taken over."""
        if found is None:
            return None
        holder, answer, process_lives, claimed_at = found
        if holder.event_id == claim.event_id:
            return _GRANTED  # by an earlier try, whose commit was not confirmed
        abandoned = answer is None and not process_lives
        if abandoned or claimed_at + self._answer_ttl <= now:
            return None
        return _verdict_on_repeat(claim, holder, answer)


def _refusals(book: GateBook, requests: Sequence[HoldRequest]) -> Iterator[tuple[str, AppError]]:
    for request in requests:
        try:
            book.take(request)
        except AppError as refusal:
            yield request.event_id, refusal


def _count(passes: Sequence[Pass], verdicts: Verdicts) -> None:
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
