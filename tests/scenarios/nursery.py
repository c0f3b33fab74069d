"""A process that has imported the program once, and from which servers are forked: each starts at once.

Run as a module it is that process: each line of its input is a server to start, as JSON of what `Nursery` asks for.
"""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Self

import httpx

from tests.scenarios.server_process import LOOPBACK

_READY_S_MAX = 60


@dataclass(frozen=True)
class Server:
    """A server on a port of its own."""

    pid: int
    port: int

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def is_dead(self) -> bool:
        try:
            os.kill(self.pid, 0)
        except ProcessLookupError:
            return True
        return False


class Nursery:
    """Servers on any database, without limits. They are ended with it, or by `end_all`."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """Start servers with those settings, by their names in lower case."""
        self._folder = folder
        self._environment = {
            **os.environ,
            "FAREMETER_DATABASE_URL": f"sqlite:///{folder}/nobodys.db",
            "FAREMETER_DATA_DIR": str(folder),
            "FAREMETER_FETCH_WEIGHTS": "false",
            "FAREMETER_LIMITS": "off",
            **{f"FAREMETER_{name.upper()}": value for name, value in settings.items()},
        }
        self._servers: list[Server] = []

    def __enter__(self) -> Self:
        with (self._folder / "nursery.log").open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "tests.scenarios.nursery"],
                env=self._environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )
        return self

    def __exit__(self, *_: object) -> None:
        self.end_all()
        self._process.communicate(timeout=60)  # the end of its input is its own

    def end_all(self) -> None:
        """Kill the servers that run."""
        for server in self._servers:
            if not server.is_dead():
                os.kill(server.pid, signal.SIGKILL)
        self._servers = []

    def start(self, database_url: str, failpoint: str = "") -> Server:
        """Start a server, which kills itself at the failpoint, and wait until it answers and its model is ready."""
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        log = self._folder / f"server-{port}.log"
        server = Server(self._fork(port=port, database_url=database_url, failpoint=failpoint, log=str(log)), port)
        self._servers.append(server)
        deadline_s = time.monotonic() + _READY_S_MAX
        while not _is_ready(server):
            assert not server.is_dead(), log.read_text()[-4000:]
            assert time.monotonic() < deadline_s, log.read_text()[-4000:]
            time.sleep(0.02)
        return server

    def _fork(self, **order: object) -> int:
        assert self._process.stdin
        assert self._process.stdout
        self._process.stdin.write(json.dumps(order).encode() + b"\n")
        self._process.stdin.flush()
        return int(self._process.stdout.readline())


def _is_ready(server: Server) -> bool:
    try:
        return bool(httpx.get(f"{server.url}/readyz", timeout=2, verify=False).json().get("versions_ready"))
    except httpx.TransportError:
        return False


def _bring_up() -> None:
    """Start what each line of the input asks for, and say its pid."""
    from app.commands.server import serve
    from app.main import create_app
    from app.settings import load_settings
    from tests.scenarios.failpoints import arm

    create_app(load_settings())  # once for all: what is imported late is imported now
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # nobody stays behind as a zombie, which would look alive
    for line in sys.stdin:
        order = json.loads(line)
        pid = os.fork()
        if pid:
            sys.stdout.write(f"{pid}\n")
            sys.stdout.flush()
            continue
        log = os.open(order["log"], os.O_WRONLY | os.O_CREAT)
        os.dup2(log, sys.stdout.fileno())
        os.dup2(log, sys.stderr.fileno())
        signal.signal(signal.SIGCHLD, signal.SIG_DFL)
        os.environ["FAREMETER_DATABASE_URL"] = order["database_url"]
        if order["failpoint"]:
            arm(order["failpoint"])
        serve(LOOPBACK, order["port"], 1)
        os._exit(0)


if __name__ == "__main__":
    _bring_up()
