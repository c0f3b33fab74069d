"""The change watch: what was cached is forgotten when, and only when, the sequence has moved."""

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor

import pytest
from structlog.testing import capture_logs

from app.accounts.account import Account
from app.accounts.change_watch import ChangeWatch
from app.accounts.service import Accounts
from app.database import Database


async def test_a_change_made_by_another_process_is_noticed(
    database: Database, accounts: Accounts, account: Account
) -> None:
    noticed = asyncio.Event()
    watch = ChangeWatch(database, [noticed.set])
    await watch.start()
    await asyncio.wait_for(noticed.wait(), 10)  # the first poll: nobody knows what happened before the start
    noticed.clear()
    await asyncio.to_thread(accounts.create_key, account.id)
    await asyncio.wait_for(noticed.wait(), 10)
    await watch.stop()


def test_everybody_forgets_once_a_change_and_not_without_one(database: Database) -> None:
    calls: list[str] = []
    watch = ChangeWatch(database, [lambda: calls.append("keys"), lambda: calls.append("plans")])
    for latest in (0, 0, 1, 1, 5, 5):
        watch.notice(latest)
    assert calls == ["keys", "plans"] * 3


@pytest.mark.parametrize("bug", [ZeroDivisionError, RuntimeError])
async def test_a_bug_does_not_end_the_watch_and_the_change_is_told_again(
    database: Database, monkeypatch: pytest.MonkeyPatch, bug: type[Exception]
) -> None:
    monkeypatch.setattr("app.accounts.change_watch._POLL_S", 0)
    bugs, noticed = [bug(), bug()], asyncio.Event()

    def forget() -> None:
        if bugs:
            raise bugs.pop()
        noticed.set()

    watch = ChangeWatch(database, [forget])
    with capture_logs() as logs:
        await watch.start()
        await asyncio.wait_for(noticed.wait(), 10)
        await watch.stop()
    assert [line["log_level"] for line in logs] == ["error", "error"]


async def test_a_change_is_noticed_while_every_shared_thread_is_busy(database: Database) -> None:
    loop, busy = asyncio.get_running_loop(), threading.Event()
    loop.set_default_executor(ThreadPoolExecutor(1))
    taken = loop.run_in_executor(None, busy.wait, 10)
    noticed = asyncio.Event()
    watch = ChangeWatch(database, [noticed.set])
    await watch.start()
    await asyncio.wait_for(noticed.wait(), 5)
    busy.set()
    assert await taken
    await watch.stop()


async def test_stopping_a_watch_that_never_started_is_no_error(database: Database) -> None:
    await ChangeWatch(database, []).stop()
