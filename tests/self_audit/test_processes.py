"""Whoever died with calls is told by the audit: one without a lease, one that is gone, one that stands still."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

import pytest
from sqlalchemy import select, text
from sqlalchemy.orm import Session

from app.charging import lease_store
from app.charging.gate import Pass
from app.charging.local_process import this_host
from app.charging.tables import HoldRow
from app.clock import FrozenClock
from app.database import Database
from app.self_audit.checks import CHECKS, HOLDERS
from app.self_audit.report import CheckResult
from app.self_audit.service import SelfAudit, run_check
from app.self_audit.silent_processes import held_by_silent
from tests.builders import NOON
from tests.charging.gated_account import PRICE_NANOS, open_gated_account
from tests.charging.serving_process import LEASE_S, ServingProcess, serving, silence
from tests.self_audit.busy_books import IN_MARCH


def audited(session: Session) -> CheckResult:
    return run_check(session, next(check for check in CHECKS if check.name == HOLDERS), IN_MARCH)


@pytest.fixture(scope="module")
def gone_pid() -> int:
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


@pytest.mark.parametrize(
    ("host", "pid_of", "warned"),
    [
        (this_host(), lambda gone: gone, True),
        (this_host(), lambda _: os.getpid(), False),
        ("elsewhere", lambda gone: gone, False),  # its pids say nothing here
    ],
)
def test_a_lease_that_a_kill_left_behind_is_no_sign_of_life(
    busy: Database, gone_pid: int, host: str, pid_of: Callable[[int], int], *, warned: bool
) -> None:
    with busy.engine.connect() as connection, Session(connection) as session:
        for lease_id in session.scalars(select(HoldRow.lease_id).distinct()).all():
            lease_store.renew_lease(session, lease_id, host=host, pid=pid_of(gone_pid), started_at=NOON)
        found = audited(session)
        session.rollback()
    assert found.differences == 0
    assert [warning.split(" belong")[0] for warning in found.warnings] == (["2 holds"] if warned else [])


@dataclass
class Looks:
    """A clock that moves while the audit sleeps; `at_each` happens meanwhile."""

    at_each: Callable[[], None] = lambda: None
    slept_s: list[float] = field(default_factory=list)

    def sleep(self, seconds: float) -> None:
        self.slept_s.append(seconds)
        self.at_each()

    def held(self, database: Database) -> dict[str, int]:
        return held_by_silent(database, LEASE_S, sleep=self.sleep, monotonic_s=lambda: sum(self.slept_s))


@pytest.fixture
async def silent(database: Database, clock: FrozenClock) -> AsyncIterator[ServingProcess]:
    """A process that holds something for a call, and renews its lease by hand only."""
    acme = open_gated_account(database, clock)
    acme.credits.grant(acme.account.id, amount_nanos=PRICE_NANOS)
    async with serving(database, clock) as process:
        await process.gate.enter(Pass(hold=acme.request()))
        silence(process)
        yield process


async def test_a_lease_that_stands_still_for_its_time_is_told(silent: ServingProcess) -> None:
    looks = Looks()
    assert looks.held(silent.database) == {"holds": 1}
    assert sum(looks.slept_s) == LEASE_S


async def test_one_sign_of_life_is_enough(silent: ServingProcess) -> None:
    looks = Looks(at_each=silent.lease._renew)
    assert looks.held(silent.database) == {}
    assert len(looks.slept_s) == 1


async def test_a_process_that_ends_meanwhile_is_not_silent(silent: ServingProcess) -> None:
    looks = Looks(at_each=silent.lease._end)
    assert looks.held(silent.database) == {}
    assert len(looks.slept_s) == 1


async def test_nobody_looks_on_where_nothing_is_held(silent: ServingProcess) -> None:
    with silent.database.transaction() as session:
        session.execute(text("DELETE FROM holds"))
    looks = Looks()
    assert looks.held(silent.database) == {}
    assert not looks.slept_s


async def test_the_report_has_what_was_seen(silent: ServingProcess, clock: FrozenClock) -> None:
    audit = SelfAudit(silent.database, clock)
    told = [result.warnings for result in (*audit.run().results, *audit.run(look_on_s=0.5).results) if result.warnings]
    assert told == [("1 holds belong to a process that gives no sign of life; a running server gives them back",)]
