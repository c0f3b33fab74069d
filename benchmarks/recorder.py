"""Durable usage events a second: the real recorder, from one process, into each database.

Callers wait for their records as requests do: so many are under way at once, and whoever gets an answer sends the next
event. Each round measures every database once, in an order that rotates, and beside them how often this disk can
`fdatasync` at all; the figures are medians, with the least and the most in brackets. CPU time an event is the steady
figure: it hardly minds a busy neighbour. It is this process's own, and beside it that of PostgreSQL's backends.
"""

import argparse
import asyncio
import gc
import json
import os
import statistics
import tempfile
import time
from collections.abc import Sequence
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import func, select, text
from sqlalchemy.event import listen, remove

from app.accounts.account import Account
from app.accounts.store import insert_account
from app.charging.gate_book import PlanVersionShelf
from app.charging.process_lease import ProcessLease
from app.charging.recorder import Record, Recorder
from app.clock import SystemClock
from app.database import Database
from app.ids import new_id
from app.metering.tables import UsageEventRow, UsageRollupRow
from app.metering.usage_event import Outcome, UsageEvent
from app.settings import Settings
from benchmarks.servers import postgresql
from tests.schema import migrate

ACCOUNTS, KEYS_AN_ACCOUNT, MODELS = 8, 2, ("linear", "vgg16-digits")
_PATIENCE_S = 30.0
_RESULTS = Path(__file__).parent / "results"


@dataclass(frozen=True, slots=True)
class Run:
    """One round on one database."""

    database: str
    events: int
    commits: int
    events_per_s: float
    cpu_us_per_event: float
    backend_cpu_us_per_event: float
    fdatasyncs_per_s: float


def main() -> None:
    """Measure, print the table, and write `results/recorder.json`."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=7)
    parser.add_argument("--events", type=int, default=30_000, help="measured events a database and round")
    parser.add_argument("--waiting", type=int, default=2048, help="callers that wait for a record at once")
    parser.add_argument("--group-max", type=int, default=Settings.model_fields["commit_group_max"].default)
    arguments = parser.parse_args()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faremeter-bench-")))
        databases = _databases(stack, folder)
        runs: list[Run] = []
        for number in range(arguments.rounds):
            turn = number % len(databases)
            for database in databases[turn:] + databases[:turn]:
                syncs = fdatasyncs_per_s(folder)
                runs.append(measure(database, arguments.events, arguments.waiting, arguments.group_max, syncs))
    print(table(runs))
    document = {**vars(arguments), "runs": [asdict(run) for run in runs]}
    (_RESULTS / "recorder.json").write_text(json.dumps(document, indent=1) + "\n")


def measure(database: Database, events: int, waiting: int, group_max: int, syncs: float) -> Run:
    """Record that many events and return the figures. Raises RuntimeError where the books do not hold every one."""
    records = _records(events)
    before, commits = counted(database), list[object]()
    note = commits.append
    listen(database.engine, "commit", note)
    gc.collect()
    backend_cpu_s, started_s, cpu_s = _backend_cpu_s(database), time.perf_counter(), time.process_time()
    asyncio.run(_record_all(database, records, waiting, group_max))
    took_s, cpu_s = time.perf_counter() - started_s, time.process_time() - cpu_s
    backend_cpu_s = _backend_cpu_s(database) - backend_cpu_s
    remove(database.engine, "commit", note)
    if counted(database) != (before[0] + events, before[1] + events):
        raise RuntimeError(f"{database.dialect}: the books do not hold what was recorded; a figure would be worthless")
    costs = (cpu_s * 1e6 / events, backend_cpu_s * 1e6 / events)
    return Run(database.dialect, events, len(commits), events / took_s, *costs, syncs)


def counted(database: Database) -> tuple[int, int]:
    """Return how many events there are, and how many calls the rollup counts."""
    with database.reading() as session:
        events = session.scalar(select(func.count()).select_from(UsageEventRow)) or 0
        return events, int(session.scalar(select(func.sum(UsageRollupRow.calls))) or 0)


def fdatasyncs_per_s(folder: Path, *, lasting_s: float = 0.3) -> float:
    """Return how often a second this disk makes an appended page durable: what one commit at a time could reach."""
    count, page = 0, b"x" * 4096
    with (folder / "pages").open("wb", buffering=0) as file:
        started_s = time.perf_counter()
        while time.perf_counter() - started_s < lasting_s:
            file.write(page)
            os.fdatasync(file.fileno())
            count += 1
        return count / (time.perf_counter() - started_s)


def table(runs: Sequence[Run]) -> str:
    """Return the medians, with the least and the most; `x` is events to raw fdatasyncs in the same second."""
    lines = ["| database | events/s | CPU us an event | of backends | events a commit | fdatasync/s | x |"]
    lines.append("|---|--:|--:|--:|--:|--:|--:|")
    for name in dict.fromkeys(run.database for run in runs):
        own = [run for run in runs if run.database == name]
        speed, syncs = ([getattr(run, field) for run in own] for field in ("events_per_s", "fdatasyncs_per_s"))
        cells = [_spread(speed, ",.0f"), _spread([run.cpu_us_per_event for run in own], ".1f")]
        cells.append(_spread([run.backend_cpu_us_per_event for run in own], ".1f"))
        cells += [f"{statistics.median(run.events / run.commits for run in own):.0f}", _spread(syncs, ",.0f")]
        cells.append(f"{statistics.median(a / b for a, b in zip(speed, syncs, strict=True)):.1f}")
        lines.append(f"| {name} | {' | '.join(cells)} |")
    return "\n".join(lines)


def _backend_cpu_s(database: Database) -> float:
    """Return the CPU time that PostgreSQL's processes for this database have taken so far."""
    if database.dialect == "sqlite":
        return 0.0
    with database.reading() as session:
        pids = session.scalars(text("SELECT pid FROM pg_stat_activity WHERE datname = current_database()")).all()
    # The 14th and 15th field; the second one, in brackets, may hold blanks.
    fields = [Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split() for pid in pids]
    return sum(int(each[11]) + int(each[12]) for each in fields) / os.sysconf("SC_CLK_TCK")


def _spread(values: Sequence[float], form: str) -> str:
    return f"{statistics.median(values):{form}} ({min(values):{form}} to {max(values):{form}})"


async def _record_all(database: Database, records: list[Record], waiting: int, group_max: int) -> None:
    clock = SystemClock()
    lease = ProcessLease(database, clock, lease_s=60)
    recorder = Recorder(database, clock, lease, PlanVersionShelf(), group_max=group_max, patience_s=_PATIENCE_S)
    recorder.start()
    work = iter(records)

    async def caller() -> None:
        for record in work:
            await recorder.record(record)

    await asyncio.gather(*(caller() for _ in range(waiting)))
    await recorder.stop()


def _records(count: int) -> list[Record]:
    """Return events of now, as a busy quarter of an hour has them: accounts, keys and models in turns."""
    now = datetime.now(UTC)
    return [Record(_event(number, now + timedelta(microseconds=number))) for number in range(count)]


def _event(number: int, occurred_at: datetime) -> UsageEvent:
    account, key = number % ACCOUNTS, number // ACCOUNTS % KEYS_AN_ACCOUNT
    return UsageEvent(
        id=new_id("evt", occurred_at),
        account_id=_account_id(account),
        key_id=f"key_{account:024x}{key:08x}",
        live=True,
        model=MODELS[number // (ACCOUNTS * KEYS_AN_ACCOUNT) % len(MODELS)],
        version=1,
        plan_version_id=f"plv_{account:032x}",
        occurred_at=occurred_at,
        outcome=Outcome.SUCCEEDED,
        delivered=True,
        units=1 + number % 5,
        results=0,
        compute_us=310 + number % 97,
        queue_us=2_000 + number % 1_009,
        input_bytes=105,
        output_bytes=240 + number % 7,
        batch_id=f"bat_{number // 32:032x}",
        amount_nanos=10_000 * (1 + number % 5),
    )


def _account_id(number: int) -> str:
    return f"acct_{number:032x}"


def _databases(stack: ExitStack, folder: Path) -> list[Database]:
    server = stack.enter_context(postgresql())
    urls = [f"sqlite:///{folder / 'faremeter.db'}", server.url(server.copy_database("template0"))]
    for url in urls:
        migrate(url)
    databases = [Database(url) for url in urls]
    for database in databases:
        stack.callback(database.dispose)
        with database.transaction() as session:
            for number in range(ACCOUNTS):
                insert_account(session, Account(_account_id(number), "Bench", "USD", "UTC", 1, datetime.now(UTC)))
            if database.dialect == "postgresql":
                settings = {name: session.scalar(text(f"SHOW {name}")) for name in ("fsync", "synchronous_commit")}
                if set(settings.values()) != {"on"}:
                    raise RuntimeError(f"this PostgreSQL is not durable: {settings}")
    return databases


if __name__ == "__main__":
    main()
