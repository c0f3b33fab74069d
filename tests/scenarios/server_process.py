"""The real server as a process of its own, that a scenario can kill and start again.

The full form runs the command as an operator does. The short form forks it from a process that has imported the program
already, unless it has options: those of several processes start processes of their own.
"""

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

from app.accounts.account import Scope
from app.bootstrap import Books, open_books
from app.pricing.open_account import open_account
from app.settings import Settings
from tests.scenarios.forked import ForkedProcess, forge

LOOPBACK = "127.0.0.1"
Process = subprocess.Popen[bytes] | ForkedProcess
SCOPES = frozenset({Scope.PREDICT, Scope.USAGE_READ, Scope.BILLING_READ, Scope.KEYS_WRITE})
_READY_S_MAX = 240  # several processes that import torch on a machine that does much else


@dataclass(frozen=True, slots=True)
class Tenant:
    """An account of the scenario and the secret of its key."""

    account_id: str
    secret: str

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.secret}"}


class ServerProcess:
    """`faremeter serve` on a free port over a database that outlives it."""

    def __init__(self, database_url: str, folder: Path, *options: str, **settings: str) -> None:
        """Serve with further options of the command, and settings by their names in lower case."""
        with socket.socket() as probe:
            probe.bind((LOOPBACK, 0))
            self.port = int(probe.getsockname()[1])
        self.url = f"http://{LOOPBACK}:{self.port}"
        self.log = folder / "server.log"
        self.environment = {
            **os.environ,
            "FAREMETER_DATABASE_URL": database_url,
            "FAREMETER_DATA_DIR": str(folder),
            "FAREMETER_PROCESS_LEASE_S": "3",
            "FAREMETER_FETCH_WEIGHTS": "false",
            **{f"FAREMETER_{name.upper()}": value for name, value in settings.items()},
        }
        self._options = options
        self._process: Process | None = None

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.end()

    @property
    def process(self) -> Process:
        """The process that runs now."""
        assert self._process is not None
        return self._process

    @property
    def pid(self) -> int:
        return self.process.pid

    def start(self) -> None:
        """Start the process and wait until it answers and a model is ready."""
        self._process = self._started(["serve", "--port", str(self.port), *self._options])
        try:
            self._wait_until_ready(self._process)
        except BaseException:
            self.kill()  # or it would run on, and the next test would be told of it
            raise

    def end(self, how: signal.Signals = signal.SIGTERM) -> None:
        """Send the process a signal and wait for its end."""
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=60)
            self._process = None

    def kill(self) -> None:
        """Send `kill -9` and wait for the end."""
        self.end(signal.SIGKILL)

    def _started(self, arguments: list[str]) -> Process:
        if os.environ.get("PROOF") != "1" and not self._options:
            return forge().start(arguments, self.environment, self.log)
        with self.log.open("ab") as log:
            command = [sys.executable, "-m", "app", *arguments]
            return subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)

    def _wait_until_ready(self, process: Process) -> None:
        deadline_s = time.monotonic() + _READY_S_MAX
        while not self._ready():
            assert process.poll() is None, self.log.read_text()[-4000:]
            assert time.monotonic() < deadline_s, f"no model is ready: {self.log.read_text()[-4000:]}"
            time.sleep(0.05)

    def _ready(self) -> bool:
        try:
            return bool(httpx.get(f"{self.url}/readyz", timeout=2).json().get("versions_ready"))
        except httpx.TransportError:
            return False


def http_client(url: str, headers: dict[str, str] | None = None) -> httpx.AsyncClient:
    """Return a client with a connection of its own; without TLS, whose set-up would take longer than the scenario."""
    return httpx.AsyncClient(base_url=url, headers=headers, timeout=60, verify=False, trust_env=False)


def tenants(books: Books, plan_toml: str, count: int) -> list[Tenant]:
    """Publish the plan and return that many accounts on it."""
    plan = books.plans.publish(plan_toml)
    return [_tenant(books, f"Tenant {number}", plan.plan_key) for number in range(count)]


def books_on(database_url: str, folder: Path) -> Books:
    """Return the books of the scenario's database."""
    return open_books(Settings.model_validate({"database_url": database_url, "data_dir": folder}))


def _tenant(books: Books, name: str, plan_key: str) -> Tenant:
    account = open_account(
        books.database, books.clock, name, currency="USD", zone="UTC", anchor_day=1, plan_key=plan_key
    )
    return Tenant(account.id, books.accounts.create_key(account.id, scopes=SCOPES).secret)
