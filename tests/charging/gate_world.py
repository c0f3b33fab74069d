"""One account in a real database, with processes that serve it: what a state machine moves, and what it looks at."""

import asyncio
from collections import defaultdict
from collections.abc import Coroutine, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import delete, insert, select

from app.accounts.account import Account
from app.accounts.service import Accounts
from app.charging import lease_store
from app.charging.budgets import Budgets
from app.charging.credits import Credits
from app.charging.gate import Gate, Pass, Verdict
from app.charging.gate_book import PlanVersionShelf
from app.charging.process_lease import ProcessLease
from app.charging.recorder import Record, Recorder
from app.charging.sweeper import Sweeper
from app.charging.tables import ClaimRow, GateCounterRow, GatePositionRow, GateRow, HoldRow, ProcessLeaseRow
from app.clock import FrozenClock
from app.database import Base, Database
from app.ledger.tables import CreditGrantRow, JournalEntryRow, PostingRow
from app.metering.tables import UsageEventRow, UsageRollupRow
from app.pricing.service import Plans
from app.self_audit.checks import CHECKS
from app.self_audit.report import Difference, Tally
from tests.builders import NOON
from tests.charging.gate_model import ANCHOR_DAY, METERS, ZONE, Amounts, plan_toml
from tests.charging.serving_process import ANSWER_TTL, FailingDatabase

PLANS = {"credit": True, "invoice": False}  # prepaid or not
# What transactions write that are not durable. A crash of the database loses the last of them, all together.
_LOSABLE: Sequence[type[Base]] = (GateRow, GatePositionRow, GateCounterRow, HoldRow, ClaimRow)
_KEPT: Sequence[type[Base]] = (CreditGrantRow, JournalEntryRow, UsageEventRow, UsageRollupRow)
_OF_ACCOUNTS = ("gates", "positions", "held", "budgets", "budgets-held", "revenue")
Rows = dict[str, list[dict[str, Any]]]
Result = TypeVar("Result")


@dataclass
class Actor:
    """A process: what it promises is its lease's."""

    database: FailingDatabase
    lease: ProcessLease
    gate: Gate
    recorder: Recorder


class _TallyOf(Tally):
    """Takes down what is found of one account: examples that have failed leave others behind."""

    def __init__(self, account_id: str) -> None:
        super().__init__()
        self._account_id = account_id
        self.found: list[Difference] = []

    def differ(self, subject: str, expected: object, found: object) -> None:
        if self._account_id in subject:
            self.found.append(Difference(subject, str(expected), str(found)))


class GateWorld:
    """The account's clock starts at noon. Each world has an account of its own."""

    def __init__(self, database: Database) -> None:
        self.database, self.clock = database, FrozenClock(NOON)
        self.accounts, self.plans = Accounts(database, self.clock), Plans(database, self.clock)
        self.credits, self.budgets = Credits(database, self.clock), Budgets(database, self.clock)
        self.versions = {key: self.plans.publish(plan_toml(key, prepaid=prepaid)) for key, prepaid in PLANS.items()}
        account = self.accounts.create_account("Acme", zone=ZONE, anchor_day=ANCHOR_DAY)
        self.account: Account = self.accounts.get_account(account.id)
        self.keys = [self.accounts.create_key(account.id, live=live).key.id for live in (True, True, False)]
        self._sweeper = Sweeper(database, PlanVersionShelf(), lease_s=6, monotonic_s=lambda: 0.0)
        self._runner = asyncio.Runner()
        self._connections = [FailingDatabase(database) for _ in range(2)]
        self.actors = [self._started(connections) for connections in self._connections]
        self._lease_ids = [actor.lease.id for actor in self.actors]

    def close(self) -> None:
        for actor in self.actors:
            self._stop(actor)
            self.end_lease(actor)
        self._runner.close()
        for connections in self._connections:
            connections.dispose()

    def enter(self, actor: Actor, entry: Pass) -> Verdict:
        return self._run(actor.gate.enter(entry))

    def record(self, actor: Actor, record: Record, *, news_lost: bool) -> None:
        """Record a call; with `news_lost` the connection breaks behind the first commit, and nobody learns of it."""
        actor.database.lost_answers = int(news_lost)

        async def recorded() -> None:
            await actor.recorder.record(record)

        self._run(recorded())

    def leave(self, actor: Actor, entry: Pass) -> None:
        """Leave, and wait until that is written: a fact rides along with whoever enters next."""

        async def left() -> None:
            actor.gate.leave(entry)
            await actor.gate.enter(Pass())

        self._run(left())

    def restart(self, index: int) -> None:
        """Let a process die with all that it runs, and start its successor. What the dead one held stands as it is."""
        dead = self.actors[index]
        self._stop(dead)
        self.end_lease(dead)
        self.actors[index] = self._started(self._connections[index])
        self._lease_ids.append(self.actors[index].lease.id)

    def end_lease(self, actor: Actor) -> None:
        with self.database.transaction(durable=False) as session:
            lease_store.end_lease(session, actor.lease.id)

    def renew(self, actor: Actor) -> None:
        with self.database.transaction(durable=False) as session:
            lease_store.renew_lease(session, actor.lease.id, host="here", pid=1, started_at=NOON)

    def sweep(self) -> None:
        self._sweeper.sweep()

    def look(self) -> "Books":
        """Return every row of the account, as one state of the database."""
        with self.database.reading() as session:
            rows = {table.__tablename__: self._rows(session, table) for table in (*_LOSABLE, *_KEPT)}
            leases = select(ProcessLeaseRow.__table__).where(ProcessLeaseRow.id.in_(self._lease_ids))
            rows["process_leases"] = [dict(row._mapping) for row in session.connection().execute(leases)]
            entries = [row["id"] for row in rows["journal_entries"]]
            postings = select(PostingRow.__table__).where(PostingRow.entry_id.in_(entries))
            rows["postings"] = [dict(row._mapping) for row in session.connection().execute(postings)]
        return Books(rows)

    def lose(self, books: "Books") -> None:
        """Take everything that is not durable back to how it was."""
        with self.database.transaction() as session:
            for table in _LOSABLE:
                session.execute(delete(table).where(table.__table__.c.account_id == self.account.id))
            session.execute(delete(ProcessLeaseRow).where(ProcessLeaseRow.id.in_(self._lease_ids)))
            tables: list[type[Base]] = [*_LOSABLE, ProcessLeaseRow]
            for table in tables:
                if rows := books.rows[table.__tablename__]:
                    session.execute(insert(table), rows)

    def audit(self) -> list[Difference]:
        """Return what the audit finds of the account, by the checks that name one."""
        tally = _TallyOf(self.account.id)
        with self.database.reading() as session:
            for check in CHECKS:
                if check.name in _OF_ACCOUNTS:
                    check.run(session, tally, self.clock.now())
        assert tally.compared
        return tally.found

    def _rows(self, session: Any, table: type[Base]) -> list[dict[str, Any]]:
        query = select(table.__table__).where(table.__table__.c.account_id == self.account.id)
        return [dict(row._mapping) for row in session.connection().execute(query)]

    def _run(self, work: Coroutine[Any, Any, Result]) -> Result:
        return self._runner.run(work)

    def _started(self, database: FailingDatabase) -> Actor:
        lease, shelf = ProcessLease(database, self.clock, lease_s=6), PlanVersionShelf()
        gate = Gate(database, self.clock, lease, shelf, group_max=8, patience_s=9.0, answer_ttl=ANSWER_TTL)
        recorder = Recorder(database, self.clock, lease, shelf, group_max=8, patience_s=9.0)

        async def start() -> None:
            gate.start()
            recorder.start()

        self._run(start())
        actor = Actor(database, lease, gate, recorder)
        self.renew(actor)  # by hand from here on: the lease's own thread would renew it when it likes
        return actor

    def _stop(self, actor: Actor) -> None:
        async def stop() -> None:
            await actor.gate.stop()
            await actor.recorder.stop()

        self._run(stop())


@dataclass(frozen=True)
class Books:
    """What the database says of the account, by table."""

    rows: Rows

    @property
    def gate_stands(self) -> bool:
        return bool(self.rows["gates"])

    def holds(self) -> dict[str, tuple[Amounts, Amounts, int, str]]:
        """Return what each call holds at most, from where in its tiers, at which price, and by which lease."""
        return {
            row["event_id"]: (_amounts(row, ""), _amounts(row, "position_"), row["amount_nanos"], row["lease_id"])
            for row in self.rows["holds"]
        }

    def positions(self) -> dict[tuple[datetime, str, str], tuple[Amounts, Amounts]]:
        """Return what is settled and held, where anything is."""
        found = {
            (row["period_start"], row["plan_version_id"], row["model"]): (
                _amounts(row, "settled_"),
                _amounts(row, "held_"),
            )
            for row in self.rows["gate_positions"]
        }
        return {key: value for key, value in found.items() if any(map(any, value))}

    def counters(self) -> dict[tuple[str, datetime], tuple[int, int]]:
        """Return what is settled and held of each budget and window, where anything is."""
        rows = self.rows["gate_counters"]
        found = {(row["budget_id"], row["window_start"]): (row["settled"], row["held"]) for row in rows}
        return {key: value for key, value in found.items() if any(value)}

    def claims(self) -> dict[str, tuple[str, bool]]:
        """Return which call holds which idempotency key, and whether it is done."""
        return {row["idempotency_key"]: (row["event_id"], row["state"] == "done") for row in self.rows["claims"]}

    def grants(self) -> dict[str, tuple[int, int, int]]:
        """Return what is left of each grant, what was refunded and what has expired."""
        rows = self.rows["credit_grants"]
        return {row["id"]: (row["remaining_nanos"], row["refunded_nanos"], row["expired_nanos"]) for row in rows}

    def events(self) -> dict[str, Amounts]:
        """Return what each recorded call has used."""
        return {row["id"]: (1, row["units"], row["results"]) for row in self.rows["usage_events"]}

    def rolled_up(self) -> Amounts:
        """Return the sums of the rollup."""
        requests, units, results = (sum(row[name] for row in self.rows["usage_rollup"]) for name in METERS)
        return requests, units, results

    def posted(self, ledger_account: str) -> dict[str, int]:
        """Return what stands to the credit of an account of the ledger, by grant."""
        sums: dict[str, int] = defaultdict(int)
        for row in self.rows["postings"]:
            if row["ledger_account"] == ledger_account:
                sums[row["grant_id"]] -= row["amount_nanos"]
        return sums

    def entry_sums(self) -> dict[str, int]:
        """Return the sum of each journal entry's postings."""
        sums: dict[str, int] = defaultdict(int)
        for row in self.rows["postings"]:
            sums[row["entry_id"]] += row["amount_nanos"]
        return sums


def claim_age_max() -> timedelta:
    return ANSWER_TTL


def _amounts(row: dict[str, Any], prefix: str) -> Amounts:
    return row[f"{prefix}requests"], row[f"{prefix}units"], row[f"{prefix}results"]
