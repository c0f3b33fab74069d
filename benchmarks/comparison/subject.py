"""What is compared: a server that can be killed and started, sold to accounts, and asked what it will bill."""

import os
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import Protocol

import httpx
from sqlalchemy import select, text

from app.charging.tables import ClaimRow
from app.metering.tables import UsageEventRow
from benchmarks.comparison import environment
from benchmarks.comparison.background_meter import UNIT_NANOS, connect, create_schema
from benchmarks.paying import PREDICT_PATH, open_prepaid
from benchmarks.servers import ROOT, free_port
from tests.scenarios.server_process import ServerProcess, books_on
from tests.schema import migrate

_READY_S_MAX = 120
_FLUSHED_S = 3.0  # three flushes of the background meter


class Subject(Protocol):
    """One build on one database."""

    name: str
    url: str
    path: str

    def start(self) -> None:
        """Start the server and wait until it answers."""

    def kill(self) -> None:
        """Send `kill -9` to all of its processes."""

    def open_account(self, calls: int) -> str:
        """Sell a fresh account credit for exactly that many calls and return its secret."""

    def billed(self) -> Counter[str]:
        """Wait until what is under way is written; return how often each call is on the bill, by idempotency key."""


class Conventional:
    """LitServe with the background meter."""

    path = "/predict"

    def __init__(self, name: str, database_url: str) -> None:
        self.name = name
        self._database_url = database_url
        self._engine = connect(database_url)
        create_schema(self._engine)
        self._accounts = 0
        self._port = free_port()
        self.url = f"http://127.0.0.1:{self._port}"
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        module = "benchmarks.comparison.conventional_app"
        command = [str(environment.PYTHON), "-m", module, "--port", str(self._port), "--database", self._database_url]
        self._process = subprocess.Popen(command, cwd=ROOT, start_new_session=True, stderr=subprocess.DEVNULL)
        give_up_s = time.monotonic() + _READY_S_MAX
        while not self._answers():
            if self._process.poll() is not None or time.monotonic() > give_up_s:
                raise RuntimeError(f"{self.name} did not start")
            time.sleep(0.1)

    def kill(self) -> None:
        if self._process is not None:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait()
            self._process = None

    def open_account(self, calls: int) -> str:
        self._accounts += 1
        key = f"key-{self._accounts}"
        with self._engine.begin() as connection:
            budget = {"key": key, "budget": calls * UNIT_NANOS}
            connection.execute(text("INSERT INTO spend VALUES (:key, :budget, 0)"), budget)
        return key

    def billed(self) -> Counter[str]:
        time.sleep(_FLUSHED_S)
        with self._engine.connect() as connection:
            return Counter(connection.execute(text("SELECT reference FROM usage_events")).scalars())

    def _answers(self) -> bool:
        with suppress(httpx.TransportError):
            return httpx.get(f"{self.url}/health", timeout=2, trust_env=False).status_code == 200
        return False


class Faremeter:
    """`faremeter serve`, as it comes; its accounts are prepaid."""

    path = PREDICT_PATH

    def __init__(self, name: str, database_url: str, folder: Path) -> None:
        self.name = name
        migrate(database_url)
        self._books = books_on(database_url, folder)
        self._server = ServerProcess(database_url, folder)
        self.url = self._server.url

    def start(self) -> None:
        self._server.start()

    def kill(self) -> None:
        self._server.kill()

    def open_account(self, calls: int) -> str:
        return open_prepaid(self._books, calls * UNIT_NANOS)[1]

    def billed(self) -> Counter[str]:
        """Count the events by the key of their claim; an event that no claim stands for is a call of its own."""
        claimed = (ClaimRow.event_id == UsageEventRow.id) & (ClaimRow.state == "done")
        with self._books.database.reading() as session:
            rows = session.execute(select(UsageEventRow.id, ClaimRow.idempotency_key).outerjoin(ClaimRow, claimed))
            return Counter(row.idempotency_key or row.id for row in rows)
