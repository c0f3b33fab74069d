"""A serving process without HTTP or a model: calls of some accounts pass its gate, and are recorded or given up.

Run as a module with a database's URL and a crowd as JSON; it prints, as JSON, what became of the calls.
"""

import asyncio
import json
import random
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from datetime import timedelta

import msgspec

from app.charging.gate import Gate, Granted, Pass
from app.charging.gate_book import PlanVersionShelf
from app.charging.hold import BudgetExceeded, HoldRequest, InsufficientBalance, QuotaExceeded
from app.charging.process_lease import ProcessLease
from app.charging.recorder import Record, Recorder
from app.clock import SystemClock
from app.database import Database
from app.ids import new_id
from app.metering.meter import Quantities
from app.pricing.plan import PlanVersion
from app.pricing.service import Plans
from tests.builders import make_answer, make_claim, make_event
from tests.charging.gate_model import EXACT_MODELS, MODELS, cost_of

AT_ONCE = 40
UNITS_MAX = 4


@dataclass(frozen=True)
class Crowd:
    """How many calls come, from which keys (account and key) on which plan, and by which chance."""

    calls: int
    keys: list[tuple[str, str]]
    plan: str
    seed: int

    def as_json(self) -> str:
        return json.dumps(asdict(self))


@dataclass
class Process:
    """`told` counts what became of the calls."""

    gate: Gate
    recorder: Recorder
    version: PlanVersion
    chance: random.Random
    told: Counter[str]

    async def call(self, account_id: str, key_id: str) -> None:
        """Let a call ask, run for a moment, and end one way or the other."""
        request = self._request(account_id, key_id)
        once = self.chance.random() < 0.1  # under an idempotency key of its own
        claim = make_claim(key=request.event_id, event_id=request.event_id, account_id=account_id) if once else None
        entry = Pass(claim, request)
        try:
            verdict = await self.gate.enter(entry)
        except (InsufficientBalance, BudgetExceeded, QuotaExceeded) as refusal:
            self.told[str(refusal.facts["limit"])] += 1
            return
        assert isinstance(verdict, Granted)
        await asyncio.sleep(self.chance.random() * 0.01)
        if self.chance.random() < 0.2:
            self.gate.leave(entry)
            self.told["left"] += 1
            return
        await self.recorder.record(self._record(entry, request))
        self.told["recorded"] += 1

    def _request(self, account_id: str, key_id: str) -> HoldRequest:
        now, model, units = SystemClock().now(), self.chance.choice(MODELS), self.chance.randint(1, UNITS_MAX)
        most = Quantities(requests=1, units=units, results=units if model == "outcome" else 0)
        return HoldRequest(new_id("evt", now), account_id, key_id, True, self.version, model, now, most)

    def _record(self, entry: Pass, request: HoldRequest) -> Record:
        units, results = request.most.units, self.chance.randint(0, request.most.results)
        event = make_event(
            id=request.event_id,
            account_id=request.account_id,
            key_id=request.key_id,
            model=request.model,
            plan_version_id=request.plan_version.id,
            occurred_at=request.occurred_at,
            units=units,
            results=results,
            amount_nanos=cost_of(request.model, (1, units, results)) if request.model in EXACT_MODELS else None,
        )
        return Record(event, entry.claim, make_answer() if entry.claim else None, request)


async def serve(database: Database, crowd: Crowd) -> Counter[str]:
    """Serve the crowd and return what became of its calls."""
    clock, shelf, chance = SystemClock(), PlanVersionShelf(), random.Random(crowd.seed)
    lease = ProcessLease(database, clock, lease_s=60)
    gate = Gate(database, clock, lease, shelf, group_max=64, patience_s=60, answer_ttl=timedelta(hours=24))
    recorder = Recorder(database, clock, lease, shelf, group_max=64, patience_s=60)
    process = Process(gate, recorder, Plans(database, clock).newest(crowd.plan), chance, Counter())
    await lease.start()
    gate.start()
    recorder.start()
    left = iter(range(crowd.calls))

    async def client() -> None:
        for _ in left:
            await process.call(*chance.choice(crowd.keys))

    async with asyncio.TaskGroup() as clients:
        for _ in range(AT_ONCE):
            clients.create_task(client())
    await gate.stop()
    await recorder.stop()
    await lease.stop()
    return process.told


if __name__ == "__main__":
    told = asyncio.run(serve(Database(sys.argv[1]), msgspec.json.decode(sys.argv[2], type=Crowd)))
    sys.stdout.write(json.dumps(told))
