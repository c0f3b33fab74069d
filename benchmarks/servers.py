"""Starts what is measured: Faremeter as `faremeter serve` runs it, and the plain peer, each in its own process.

A child inherits the core that this process is pinned to, so that every server (and its database) shares one core.
"""

import json
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

from tests.postgresql_server import PostgresqlServer

ROOT = Path(__file__).parent.parent
ROW = [0.038, 0.051, 0.062, 0.022, -0.044, -0.035, -0.043, -0.003, 0.020, -0.018]
BODY = json.dumps({"inputs": [ROW]})
_START_PATIENCE_S = 60


@dataclass(frozen=True, slots=True)
class Target:
    """One server under load."""

    name: str
    port: int
    path: str
    headers: dict[str, str]

    def answers(self) -> bool:
        """Tell whether one request gets a 200."""
        try:
            with urlopen(self._request(), timeout=5) as answer:
                return bool(answer.status == 200)
        except (URLError, ConnectionError, TimeoutError):
            return False

    def _request(self) -> Request:
        return Request(
            f"http://127.0.0.1:{self.port}{self.path}",
            BODY.encode(),
            {"Content-Type": "application/json", **self.headers},
        )


@contextmanager
def plain_fastapi() -> Iterator[list[Target]]:
    """Serve the peer; both of its routes are targets."""
    port = free_port()
    command = ["uvicorn", "benchmarks.plain_fastapi:app", "--port", str(port), "--no-access-log"]
    targets = [
        Target("plain FastAPI, async def", port, "/async/predict", {}),
        Target("plain FastAPI, def", port, "/threads/predict", {}),
    ]
    with _serving(["-m", *command], dict(os.environ), targets[0]):
        yield targets


@contextmanager
def faremeter(name: str, folder: Path, database_url: str | None = None) -> Iterator[Target]:
    """Serve Faremeter with a real key on a real plan: metered, rated, durable before each answer leaves."""
    port = free_port()
    environment = _environment(folder, database_url)
    secret = _opened_account(environment)
    target = Target(name, port, "/v1/models/linear/predict", {"Authorization": f"Bearer {secret}"})
    with _serving(["-m", "app", "serve", "--port", str(port)], environment, target):
        yield target


@contextmanager
def postgresql() -> Iterator[PostgresqlServer]:
    """Start a PostgreSQL with its own defaults, on the disk: its socket's path is short, as it must be."""
    with tempfile.TemporaryDirectory(prefix="fm-pg-") as folder, PostgresqlServer.started(Path(folder)) as server:
        yield server


def units_recorded(target: Target) -> int:
    """Return what the usage API of a Faremeter counts for the target's account."""
    with urlopen(Request(f"http://127.0.0.1:{target.port}/v1/usage", headers=target.headers), timeout=30) as answer:
        return int(json.load(answer)["total"]["units"])


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _environment(folder: Path, database_url: str | None) -> dict[str, str]:
    """Return settings that leave all as it comes; only the places differ, and only `linear` is loaded."""
    shutil.copytree(ROOT / "models" / "linear", folder / "models" / "linear")
    own = {"FAREMETER_DATA_DIR": str(folder / "data"), "FAREMETER_MODELS_DIR": str(folder / "models")}
    database = {"FAREMETER_DATABASE_URL": database_url} if database_url else {}
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("FAREMETER_")}
    return {**inherited, **own, **database}


def _opened_account(environment: dict[str, str]) -> str:
    """Migrate, publish a plan, open an account on it, and return the secret of its key."""
    _command(environment, "db", "upgrade", "--json")
    _command(environment, "plan", "publish", "plans/payg.toml", "--json")
    account = _command(environment, "account", "create", "--name", "benchmark", "--plan", "payg", "--json")
    return str(_command(environment, "key", "create", "--account", account["id"], "--json")["secret"])


def _command(environment: dict[str, str], *arguments: str) -> dict[str, str]:
    command = [sys.executable, "-m", "app", *arguments]
    output = subprocess.run(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, check=True).stdout
    return dict(json.loads(output))


@contextmanager
def _serving(arguments: list[str], environment: dict[str, str], target: Target) -> Iterator[None]:
    process = subprocess.Popen([sys.executable, *arguments], cwd=ROOT, env=environment)
    try:
        _wait_for(process, target)
        yield
    finally:
        process.terminate()
        process.wait(timeout=60)


def _wait_for(process: "subprocess.Popen[bytes]", target: Target) -> None:
    """Wait until the server predicts. Raises RuntimeError where it has ended, or has not come up in time."""
    give_up = time.monotonic() + _START_PATIENCE_S
    while not target.answers():
        if process.poll() is not None or time.monotonic() > give_up:
            raise RuntimeError(f"{target.name} did not start")
        time.sleep(0.1)
