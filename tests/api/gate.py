"""A gate in front of a model: a test closes it, sees a batch arrive at it, and opens it again."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

_WAIT_S_MAX = 30


class Gate:
    """Open unless a test has closed it; `pass_through` is called by the model, on the thread of its device."""

    def __init__(self) -> None:
        self._open = threading.Event()
        self._open.set()
        self._reached = threading.Event()

    def pass_through(self) -> None:
        self._reached.set()
        assert self._open.wait(_WAIT_S_MAX)

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Hold back every batch that begins inside the block."""
        self._reached.clear()
        self._open.clear()
        try:
            yield
        finally:
            self._open.set()

    def wait_until_reached(self) -> None:
        """Block until a batch stands before the gate, and be ready to wait for the next one."""
        assert self._reached.wait(_WAIT_S_MAX)
        self._reached.clear()


GATE = Gate()
