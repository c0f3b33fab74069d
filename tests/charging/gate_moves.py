"""What a machine of the gate is made of: a world, a model of it, and how both are moved and looked at."""

from dataclasses import dataclass, replace
from datetime import timedelta

import pytest
from hypothesis.stateful import RuleBasedStateMachine

from app.charging.claim import Claim, ClaimLost, IdempotencyKeyReused, StillRunning, StoredAnswer
from app.charging.gate import Granted, Pass
from app.charging.hold import HoldRequest
from app.charging.recorder import Record
from app.charging.settlement import HoldLost
from app.database import Database
from app.errors import AppError
from app.ids import new_id
from app.ledger.credit_grant import GrantKind
from app.metering.meter import Quantities
from tests.builders import make_answer, make_event
from tests.charging.gate_model import (
    EXACT_MODELS,
    NEVER,
    UNITS,
    GateModel,
    ModelCall,
    ModelGrant,
    ModelHold,
    cost_of,
)
from tests.charging.gate_world import PLANS, Actor, Books, GateWorld, claim_age_max

DAY = timedelta(days=1)


@dataclass(frozen=True)
class Asked:
    """A call that comes to a process, perhaps under an idempotency key and with a body that others have used as well.

    Not `knows`: its process has not heard yet that the account has a gate, or that it has none any more. With
    `news_lost` the connection breaks behind the commit that lets it pass, and nobody learns of it.
    """

    actor: int
    key: int
    model: str
    units: int
    once: tuple[str, bytes] | None
    knows: bool
    news_lost: bool


@dataclass(frozen=True)
class ModelClaim:
    """Who holds an idempotency key, for which request, by whose lease; and what it answered."""

    event_id: str
    digest: bytes
    lease_id: str
    at: object
    answer: bytes | None = None


@dataclass(frozen=True)
class Running:
    """A call that a process runs."""

    actor: Actor
    entry: Pass
    request: HoldRequest
    call: ModelCall


@dataclass(frozen=True)
class Remembered:
    """A state to which a crash of the database may go back: of its tables, and of the model."""

    books: Books
    holds: dict[str, ModelHold]
    claims: dict[str, ModelClaim]
    living: frozenset[str]


class GateMoves(RuleBasedStateMachine):
    """`model.holds`, `claims` and `living` are what a crash of the database may lose. All else is durable."""

    def __init__(self, database: Database) -> None:
        super().__init__()
        self.world, self.model = GateWorld(database), GateModel()
        self.plan, self.gated, self.was_prepaid = "", False, False
        self.claims: dict[str, ModelClaim] = {}
        self.living = {actor.lease.id for actor in self.world.actors}
        self.running: list[Running] = []
        self.remembered: list[Remembered] = []
        self._put_on("credit")
        self._grant(150, paid=True, priority=1, expires=None)

    def teardown(self) -> None:
        """After every sequence, whatever runs yet, the audit is clean."""
        try:
            assert self.world.audit() == []
        finally:
            self.world.close()

    def _durable(self) -> None:
        """What came before is on the disk: no crash goes back behind it."""
        self.remembered = []
        self._not_durable()

    def _not_durable(self) -> None:
        now = Remembered(self.world.look(), dict(self.model.holds), dict(self.claims), frozenset(self.living))
        self.remembered.append(now)

    def _put_on(self, plan: str) -> None:
        self.world.plans.assign(self.world.account.id, plan)
        self.plan, self.was_prepaid = plan, self.was_prepaid or PLANS[plan]
        self.gated = self.gated or PLANS[plan]
        self._durable()

    def _grant(self, amount: int, *, paid: bool, priority: int, expires: timedelta | None) -> None:
        self.world.clock.advance(timedelta(milliseconds=1))  # ids of one instant would be in no order
        expires_at = self.world.clock.now() + expires if expires else None
        kind = GrantKind.PAID if paid else GrantKind.PROMOTIONAL
        made = self.world.credits.grant(
            self.world.account.id, amount_nanos=amount, kind=kind, priority=priority, expires_at=expires_at
        )
        self.model.grants.append(ModelGrant(made.id, paid, amount, amount, priority, expires_at or NEVER))
        self._durable()

    def _enter(self, asked: Asked) -> None:
        """Let a call ask: the gate says what the model says."""
        process, request = self.world.actors[asked.actor], self._request(asked)
        claim, call = self._claim(asked.once, request), self._call_of(request)
        process.database.lost_answers = int(asked.news_lost)
        entry = Pass(claim, request if self.gated == asked.knows else None)
        expected = self._claimed(process, claim)
        if expected == "granted" and entry.hold and self.gated and (reasons := self.model.refusals(call)):
            with pytest.raises(AppError) as refused:
                self.world.enter(process, entry)
            assert refused.value.code in reasons
            if claim:
                self.claims.pop(claim.idempotency_key)
        elif expected == "granted":
            assert not entry.needed or isinstance(self.world.enter(process, entry), Granted)
            if entry.hold and self.gated:
                self.model.hold(call, process.lease.id)
            self.running.append(Running(process, entry, request, call))
        else:
            self._repeat(process, entry, expected)
        process.database.lost_answers = 0
        self._not_durable()

    def _record(self, running: Running, results: int, *, news_lost: bool) -> None:
        """Let a call end well: its claim must be its own, and its hold must stand or find room."""
        call = running.call
        used = (1, call.most[UNITS], min(results, call.most[2]))
        record, expected = self._record_of(running, used), self._refused_record(running)
        if expected:
            with pytest.raises(expected):
                self.world.record(running.actor, record, news_lost=news_lost)
            if expected is HoldLost and running.entry.claim:
                self.claims.pop(running.entry.claim.idempotency_key, None)
            self._durable()
            self._leave(running)
            return
        self.world.record(running.actor, record, news_lost=news_lost)
        if self.gated:
            self.model.settle(self.model.holds.get(call.id) or self.model.hold(call, ""), used)
        else:
            self.model.used[call.id] = call, used
        if claim := running.entry.claim:
            mine = self.claims.get(claim.idempotency_key, self._mine(running))
            self.claims[claim.idempotency_key] = replace(mine, answer=call.id.encode())
        self._durable()

    def _refused_record(self, running: Running) -> type[AppError] | None:
        """Return why the call must not be charged, None where it must."""
        call, claim = running.call, running.entry.claim
        if claim and self.claims.get(claim.idempotency_key, self._mine(running)).event_id != call.id:
            return ClaimLost
        lost = self.gated and call.id not in self.model.holds
        return HoldLost if lost and self.model.refusals(call) else None

    def _request(self, asked: Asked) -> HoldRequest:
        now = self.world.clock.now()
        return HoldRequest(
            event_id=new_id("evt", now),
            account_id=self.world.account.id,
            key_id=self.world.keys[asked.key],
            live=asked.key != 2,
            plan_version=self.world.versions[self.plan],
            model=asked.model,
            occurred_at=now,
            most=Quantities(requests=1, units=asked.units, results=asked.units if asked.model == "outcome" else 0),
        )

    def _claim(self, once: tuple[str, bytes] | None, request: HoldRequest) -> Claim | None:
        if once is None:
            return None
        idempotency_key, body = once
        return Claim(self.world.account.id, idempotency_key, body.ljust(32, b"."), request.event_id)

    def _call_of(self, request: HoldRequest) -> ModelCall:
        return ModelCall(
            request.event_id,
            request.key_id,
            request.live,
            request.plan_version.id,
            PLANS[self.plan],
            request.model,
            request.occurred_at,
            (request.most.requests, request.most.units, request.most.results),
        )

    def _claimed(self, process: Actor, claim: Claim | None) -> str:
        """Take the claim in the model where it is free or its holder is gone; else say what its repeat gets."""
        if claim is None:
            return "granted"
        now, holder = self.world.clock.now(), self.claims.get(claim.idempotency_key)
        gone = holder and holder.answer is None and holder.lease_id not in self.living
        if holder and not gone and holder.at + claim_age_max() > now:  # type: ignore[operator]
            if holder.digest != claim.request_digest:
                return "reused"
            return "running" if holder.answer is None else "answered"
        self.claims[claim.idempotency_key] = ModelClaim(claim.event_id, claim.request_digest, process.lease.id, now)
        return "granted"

    def _repeat(self, process: Actor, entry: Pass, expected: str) -> None:
        assert entry.claim
        if expected == "answered":
            answer = self.world.enter(process, entry)
            assert isinstance(answer, StoredAnswer)
            assert answer.body == self.claims[entry.claim.idempotency_key].answer
            return
        with pytest.raises(StillRunning if expected == "running" else IdempotencyKeyReused):
            self.world.enter(process, entry)

    def _mine(self, running: Running) -> ModelClaim:
        """Return the claim that a call gets with its record where a crash has lost it."""
        assert running.entry.claim
        digest, now = running.entry.claim.request_digest, self.world.clock.now()
        return ModelClaim(running.call.id, digest, running.actor.lease.id, now)

    def _record_of(self, running: Running, used: tuple[int, int, int]) -> Record:
        call, claim = running.call, running.entry.claim
        exact = 0 if not call.live else cost_of(call.model, used) if call.model in EXACT_MODELS else None
        event = make_event(
            id=call.id,
            account_id=self.world.account.id,
            key_id=call.key,
            live=call.live,
            model=call.model,
            plan_version_id=call.plan,
            occurred_at=call.at,
            units=used[UNITS],
            results=used[2],
            amount_nanos=exact,
        )
        return Record(event, claim, make_answer(body=call.id.encode()) if claim else None, running.request)

    def _leave(self, running: Running) -> None:
        self.world.leave(running.actor, running.entry)
        if running.entry.hold:
            self.model.holds.pop(running.call.id, None)
        if claim := running.entry.claim:
            holder = self.claims.get(claim.idempotency_key)
            if holder and holder.event_id == running.call.id and holder.answer is None:
                del self.claims[claim.idempotency_key]
        self._not_durable()

    def _counters(self) -> dict[tuple[str, object], tuple[int, int]]:
        counters: dict[tuple[str, object], tuple[int, int]] = {}
        for budget in self.model.budgets.values():
            held = {budget.window_at(h.call.at) for h in self.model.holds.values() if budget.id in h.budgets}
            for window in budget.seen.keys() | held:
                counter = budget.seen.get(window, 0), self.model.held_of(budget, window) if budget.holds_by_call else 0
                if any(counter):
                    counters[budget.id, window] = counter
        return counters
