"""Servers on any database that kill themselves where they are told to. They have no limits."""

import os
import signal
import socket
import time
from dataclasses import dataclass
from pathlib import Path

import httpx

from tests.scenarios.forked import ForkedProcess, forge
from tests.scenarios.server_process import LOOPBACK

_READY_S_MAX = 60


@dataclass(frozen=True)
class Server:
    """A server on a port of its own."""

    process: ForkedProcess
    port: int

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def is_dead(self) -> bool:
        return self.process.poll() is not None


class Nursery:
    """Starts servers, and ends all of them at once."""

    def __init__(self, folder: Path, **settings: str) -> None:
        """Start servers with those settings, by their names in lower case."""
        self._folder = folder
        self._environment = {
            **os.environ,
            "FAREMETER_DATA_DIR": str(folder),
            "FAREMETER_FETCH_WEIGHTS": "false",
            "FAREMETER_LIMITS": "off",
            **{f"FAREMETER_{name.upper()}": value for name, value in settings.items()},
        }
        self._servers: list[Server] = []

    def end_all(self) -> None:
        """Kill the servers that run."""
        for server in self._servers:
            server.process.send_signal(signal.SIGKILL)
            server.process.wait(timeout=60)
        self._servers = []

    def start(self, database_url: str, failpoint: str = "") -> Server:
        """Start a server, which kills itself at the failpoint, and wait until it answers and its model is ready."""
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            port = int(probe.getsockname()[1])
        log = self._folder / f"server-{port}.log"
        environment = self._environment | {"FAREMETER_DATABASE_URL": database_url}
        server = Server(forge().start(["serve", "--port", str(port)], environment, log, failpoint), port)
        self._servers.append(server)
        deadline_s = time.monotonic() + _READY_S_MAX
        while not _is_ready(server):
            assert not server.is_dead(), log.read_text()[-4000:]
            assert time.monotonic() < deadline_s, log.read_text()[-4000:]
            time.sleep(0.02)
        return server


def _is_ready(server: Server) -> bool:
    try:
        return bool(httpx.get(f"{server.url}/readyz", timeout=2, verify=False).json().get("versions_ready"))
    except httpx.TransportError:
        return False
