"""SIGTERM: the process says that it ends, goes on for a while, and only then its server gets the signal."""

import asyncio
import os
import signal
from collections.abc import Iterator
from types import FrameType

import pytest

from app.serving.drain import Drain, Draining


@pytest.fixture
def heard() -> Iterator[list[int]]:
    """What the server's own handler was told."""
    signals: list[int] = []

    def servers_own(number: int, _frame: FrameType | None) -> None:
        signals.append(number)

    before = signal.signal(signal.SIGTERM, servers_own)
    yield signals
    assert signal.getsignal(signal.SIGTERM) is servers_own
    signal.signal(signal.SIGTERM, before)


async def terminate() -> None:
    os.kill(os.getpid(), signal.SIGTERM)
    await asyncio.sleep(0)


async def test_a_server_that_need_not_drain_gets_the_signal_at_once(heard: list[int]) -> None:
    drain = Drain(drain_s=0)
    drain.refuse()
    with drain.on_sigterm():
        await terminate()
        assert (drain.begun, heard) == (True, [signal.SIGTERM])
        with pytest.raises(Draining):
            drain.refuse()


async def test_a_server_that_drains_gets_the_signal_later(heard: list[int]) -> None:
    drain = Drain(drain_s=0.05)
    with drain.on_sigterm():
        await terminate()
        assert (drain.begun, heard) == (True, [])
        while not heard:  # noqa: ASYNC110 - a handler of signals tells nobody
            await asyncio.sleep(0.01)


async def test_a_second_signal_does_not_cut_the_drain_short(heard: list[int]) -> None:
    drain = Drain(drain_s=3600)
    with drain.on_sigterm():
        await terminate()
        await terminate()
        assert heard == []


async def test_where_no_server_handles_signals_nothing_is_changed() -> None:
    drain, before = Drain(drain_s=5), signal.signal(signal.SIGTERM, signal.SIG_DFL)
    with drain.on_sigterm():
        assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL
    signal.signal(signal.SIGTERM, before)


async def test_on_another_thread_nothing_is_changed(heard: list[int]) -> None:
    drain = Drain(drain_s=5)

    async def serve() -> None:
        before = signal.getsignal(signal.SIGTERM)
        with drain.on_sigterm():
            assert signal.getsignal(signal.SIGTERM) is before

    await asyncio.to_thread(asyncio.run, serve())
    assert heard == []
