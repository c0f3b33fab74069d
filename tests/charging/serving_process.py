"""What a serving process holds to charge online: a lease, a gate and a recorder, with failpoints below."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import func, select

from app.charging import lease_store
from app.charging.gate import Gate
from app.charging.gate_book import PlanVersionShelf
from app.charging.process_lease import ProcessLease
from app.charging.recorder import Recorder
from app.clock import Clock
from app.database import Base, CommitUncertain, Database, DatabaseUnavailable, Session
from app.metering.tables import UsageEventRow, UsageRollupRow

LEASE_S = 6
ANSWER_TTL = timedelta(hours=24)


class FailingDatabase(Database):
    """The real database, which may be away, or lose its connection between a commit and the news of it."""

    away_times = 0
    lost_answers = 0

    def __init__(self, database: Database) -> None:
        super().__init__(database.url.render_as_string(hide_password=False))

    @contextmanager
    def transaction(self, *, durable: bool = True) -> Iterator[Session]:
        self._answer()
        with super().transaction(durable=durable) as session:
            yield session
        if self.lost_answers:
            self.lost_answers -= 1
            raise CommitUncertain("the connection was lost")

    @contextmanager
    def reading(self) -> Iterator[Session]:
        self._answer()
        with super().reading() as session:
            yield session

    def _answer(self) -> None:
        if self.away_times:
            self.away_times -= 1
            raise DatabaseUnavailable("the database does not answer")


@dataclass
class ServingProcess:
    """One process and its own connections to the database that it shares with others."""

    database: FailingDatabase
    lease: ProcessLease
    gate: Gate
    recorder: Recorder


@asynccontextmanager
async def serving(database: Database, clock: Clock, *, patience_s: float = 30.0) -> AsyncIterator[ServingProcess]:
    own = FailingDatabase(database)
    lease = ProcessLease(own, clock, lease_s=LEASE_S)
    shelf = PlanVersionShelf()
    gate = Gate(own, clock, lease, shelf, group_max=64, patience_s=patience_s, answer_ttl=ANSWER_TTL)
    recorder = Recorder(own, clock, lease, shelf, group_max=64, patience_s=patience_s)
    await lease.start()
    gate.start()
    recorder.start()
    yield ServingProcess(own, lease, gate, recorder)
    await gate.stop()
    await recorder.stop()
    await lease.stop()
    own.dispose()


async def taken_for_dead(process: ServingProcess) -> None:
    """Let the process's lease be gone, as after a silence; it takes it again with its next sign of life."""

    def end() -> None:
        with process.database.transaction() as session:
            lease_store.end_lease(session, process.lease.id)

    await asyncio.to_thread(end)


def silence(process: ServingProcess) -> None:
    """Let the process give no sign of life any more: or it takes its lease anew where a test is slower than one."""
    process.lease._ending.set()
    process.lease._renewal.join()


def rows_of(database: Database, table: type[Base]) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(table)) or 0


def charged(database: Database) -> tuple[int, int]:
    """Return how many events there are and how many calls the rollup counts: the two always agree."""
    with database.reading() as session:
        return rows_of(database, UsageEventRow), int(session.scalar(select(func.sum(UsageRollupRow.calls))) or 0)
