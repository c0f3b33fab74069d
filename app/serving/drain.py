"""The end of a serving process on SIGTERM: it says so first, goes on serving for a while, and then ends what runs."""

import asyncio
import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType

from app.errors import Unavailable
from app.telemetry import get_logger

_log = get_logger(__name__)


class Draining(Unavailable):
    """This process is about to end: new calls belong to another one."""

    code = "draining"


class Drain:
    """Whether the process is about to end. Balancers hear it from /readyz, clients by `Connection: close`."""

    def __init__(self, *, drain_s: float) -> None:
        """Go on taking new calls for `drain_s` after SIGTERM: until every balancer has heard of it."""
        self._drain_s = drain_s
        self.begun = False

    def refuse(self) -> None:
        """Raise Draining once the process is about to end."""
        if self.begun:
            raise Draining("this server is about to end", hint="another one serves on")

    @contextmanager
    def on_sigterm(self) -> Iterator[None]:
        """Stand before the server's own handler of SIGTERM, which gets the signal `drain_s` later.

        A second one changes nothing: supervisors may send it to a whole group, and then each process to its own.
        SIGINT ends at once. Where no server handles signals (a test, a thread) nothing is changed.
        """
        servers_own = signal.getsignal(signal.SIGTERM)
        if not callable(servers_own) or threading.current_thread() is not threading.main_thread():
            yield
            return
        loop = asyncio.get_running_loop()

        def begin(number: int, frame: FrameType | None) -> None:
            if not self._drain_s:
                self.begun = True
                servers_own(number, frame)
            elif not self.begun:
                self.begun = True
                _log.info("draining", seconds=self._drain_s)
                loop.call_soon_threadsafe(loop.call_later, self._drain_s, servers_own, number, frame)

        signal.signal(signal.SIGTERM, begin)
        try:
            yield
        finally:
            if signal.getsignal(signal.SIGTERM) is begin:
                signal.signal(signal.SIGTERM, servers_own)
