"""Servers forked from a process that has imported the program once: each starts in a second, not in ten.

The short form starts dozens of servers. A forked one is a process as any other, it reads its command line and its
environment as any other, and is killed as any other; all that it does not do is import the same modules again.

Run as a module it is the process that forks: each line of its input is an order, and each of its output a result.
"""

import atexit
import json
import os
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any

_LOOK_EVERY_S = 0.01
_START = threading.Lock()


class ForkedProcess:
    """A process that the forking one has started: what a test does with a `subprocess.Popen` it does with this."""

    def __init__(self, forge: "Forge", pid: int) -> None:
        self._forge = forge
        self.pid = pid
        self.returncode: int | None = None

    def poll(self) -> int | None:
        """Return the exit status, as `subprocess` has it, or None while the process runs."""
        if self.returncode is None:
            self.returncode = self._forge.ask(ended=self.pid)
        return self.returncode

    def wait(self, timeout: float) -> int:
        """Wait so many seconds for its end, and return the exit status. Raises TimeoutError."""
        deadline_s = time.monotonic() + timeout
        while (status := self.poll()) is None:
            if time.monotonic() > deadline_s:
                raise TimeoutError(f"process {self.pid} has not ended in {timeout} s")
            time.sleep(_LOOK_EVERY_S)
        return status

    def send_signal(self, how: signal.Signals) -> None:
        """Send a signal, unless the process has ended."""
        if self.poll() is None:
            os.kill(self.pid, how)


class Forge:
    """The process that has imported the program. When it ends, so does what it has started."""

    def __init__(self) -> None:
        self._folder = tempfile.TemporaryDirectory(prefix="faremeter-forge-")
        settings = {
            "FAREMETER_DATABASE_URL": f"sqlite:///{self._folder.name}/nobodys.db",
            "FAREMETER_DATA_DIR": self._folder.name,
            "FAREMETER_FETCH_WEIGHTS": "false",
        }
        self._process = subprocess.Popen(
            [sys.executable, "-m", "tests.scenarios.forked"],
            env=os.environ | settings,
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self._lock = threading.Lock()

    def start(
        self, arguments: Sequence[str], environment: Mapping[str, str], log: Path, failpoint: str = ""
    ) -> ForkedProcess:
        """Start `faremeter` with these arguments; it appends what it says to the log, and dies at the failpoint."""
        pid = self.ask(arguments=arguments, environment=environment, log=str(log), failpoint=failpoint)
        assert pid is not None
        return ForkedProcess(self, pid)

    def ask(self, **order: object) -> int | None:
        """Give one order, and return its result."""
        assert self._process.stdin
        assert self._process.stdout
        with self._lock:
            self._process.stdin.write(json.dumps(order).encode() + b"\n")
            self._process.stdin.flush()
            result: int | None = json.loads(self._process.stdout.readline())
        return result

    def end(self) -> None:
        """End the process, and thereby all that it has started."""
        self._process.communicate(timeout=60)
        self._folder.cleanup()


def forge() -> Forge:
    """Return the one of this process, which is started at first use."""
    with _START:
        return _forge()


@cache
def _forge() -> Forge:
    made = Forge()
    atexit.register(made.end)
    return made


class _Children:
    """What was forked: who runs, and how the others have ended. Nobody stays a zombie, which would look alive."""

    def __init__(self) -> None:
        self._ended: dict[int, int] = {}
        self.running: set[int] = set()
        signal.signal(signal.SIGCHLD, lambda *_: self._reap())

    def ended(self, pid: int) -> int | None:
        return self._ended.get(pid)

    def _reap(self) -> None:
        while True:
            try:
                pid, status = os.waitpid(-1, os.WNOHANG)
            except ChildProcessError:
                return
            if not pid:
                return
            self._ended[pid] = os.waitstatus_to_exitcode(status)
            self.running.discard(pid)


def _bring_up() -> None:
    """Fork what each line of the input asks for, and say its pid, or say how one has ended."""
    import torchvision.models  # noqa: F401 - models import it when they are loaded

    from app.main import create_app
    from app.settings import load_settings

    create_app(load_settings())  # once for all: what is imported late is imported now
    children = _Children()
    for line in sys.stdin:
        order = json.loads(line)
        if "ended" in order:
            _say(children.ended(order["ended"]))
            continue
        signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGCHLD})  # until the child is among those that run
        pid = os.fork()
        if not pid:
            _become(order)
            return
        children.running.add(pid)
        signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
        _say(pid)
    for pid in list(children.running):
        os.kill(pid, signal.SIGKILL)


def _say(result: int | None) -> None:
    sys.stdout.write(json.dumps(result) + "\n")
    sys.stdout.flush()


def _become(order: dict[str, Any]) -> None:
    """Be `faremeter`, from its command line to its exit status."""
    from app.__main__ import main
    from tests.scenarios.failpoints import arm

    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, {signal.SIGCHLD})
    log = os.open(order["log"], os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o644)
    os.dup2(os.open(os.devnull, os.O_RDONLY), sys.stdin.fileno())
    os.dup2(log, sys.stdout.fileno())
    os.dup2(log, sys.stderr.fileno())
    os.environ.clear()
    os.environ.update(order["environment"])
    if order["failpoint"]:
        arm(order["failpoint"])
    sys.argv = ["faremeter", *order["arguments"]]
    main()


if __name__ == "__main__":
    _bring_up()
