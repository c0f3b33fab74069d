"""Claims before the run: waiting requests share one short transaction, atomic and not durable."""

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

from app.charging import store
from app.charging.claim import Claim, IdempotencyKeyReused, StillRunning, StoredAnswer
from app.charging.group_commit import GroupCommit
from app.charging.process_lease import ProcessLease
from app.clock import Clock
from app.database import Database, DatabaseUnavailable, Session
from app.errors import AppError

_RETRY_AFTER_S = 1


class Granted:
    """The caller holds the claim and runs."""


class _Release:
    def __init__(self, claim: Claim) -> None:
        self.claim = claim


Verdict = Granted | StoredAnswer
_GRANTED = Granted()


class ClaimDesk:
    """Grants each idempotency key to one request; repeats get its stored answer."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        lease: ProcessLease,
        *,
        group_max: int,
        patience_s: float,
        answer_ttl: timedelta,
    ) -> None:
        self._database = database
        self._clock = clock
        self._lease = lease
        self._answer_ttl = answer_ttl
        self._group: GroupCommit[Claim | _Release, Verdict] = GroupCommit(
            "claims", self._write, group_max=group_max, patience_s=patience_s
        )

    def start(self) -> None:
        """Start the claiming thread."""
        self._group.start()

    async def stop(self) -> None:
        """Write what waits, then end the thread."""
        await self._group.stop()

    async def claim(self, claim: Claim) -> Verdict:
        """Return Granted, or the stored answer of the call that came first.

        Raises IdempotencyKeyReused for another request under the same key, StillRunning while the first one runs.
        """
        try:
            return await self._group.submit(claim)
        except (asyncio.CancelledError, DatabaseUnavailable):
            self.release(claim)  # it may have been granted all the same, and nobody will run under it
            raise

    async def find_answer(self, claim: Claim) -> StoredAnswer | None:
        """Return the answer that is stored for this very request, if any; None while the database is away, too."""
        return await asyncio.to_thread(self._find_answer, claim)

    def release(self, claim: Claim) -> None:
        """Free the key after a call that failed. While the database is away this is tried again."""
        self._group.submit_fact(_Release(claim))

    def _write(self, entries: Sequence[Claim | _Release]) -> list[Verdict | AppError]:
        now = self._clock.now()
        released = [entry.claim for entry in entries if isinstance(entry, _Release)]
        withdrawn = {claim.event_id for claim in released}  # a claim among them was given up before it was made
        claims = [entry for entry in entries if isinstance(entry, Claim) and entry.event_id not in withdrawn]
        with self._database.transaction(durable=False) as session:
            store.release_claims(session, released)
            granted = store.insert_claims(session, claims, lease_id=self._lease.id, now=now) if claims else set()
            second = {
                claim.event_id: self._second_claim(session, claim, now)
                for claim in claims
                if claim.event_id not in granted
            }
        return [second.get(entry.event_id, _GRANTED) if isinstance(entry, Claim) else _GRANTED for entry in entries]

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
