"""Fetching weights in a child process: what is downloaded is parsed there, and a crash or a hang there stays there.

A failed attempt is repeated after a minute, then after two, four … up to an hour: no storm against a host that is down.
"""

import subprocess
import sys
import time
from pathlib import Path

from app.errors import Unavailable

# The child finds `app` as this process did, wherever it was started.
_ROOT = Path(__file__).parents[2]
_RETRY_S_MIN = 60
_RETRY_S_MAX = 3600
_ATTEMPT_S_MAX = 3600
_CLEAN_UP_S_MAX = 5


class FetchFailed(Unavailable):
    """The weights could not be fetched; the text says why."""

    code = "fetch_failed"


def fetch_now(predictor: Path, version_dir: Path) -> None:
    """Fetch the weights of one version and wait for them. Raises FetchFailed."""
    command = _command(predictor, version_dir)
    done = subprocess.run(command, cwd=_ROOT, stdout=subprocess.PIPE, text=True, check=False)  # noqa: S603 - our own argv
    if done.returncode:
        raise FetchFailed(_last_words(done.stdout, done.returncode))


class WeightsFetch:
    """The attempts to fetch the weights of one version; `step` is called now and then and never blocks."""

    def __init__(self, predictor: Path, version_dir: Path) -> None:
        self._command = _command(predictor, version_dir)
        self._child: subprocess.Popen[str] | None = None
        self._failures = 0
        self._started_s = 0.0
        self._retry_at_s = 0.0
        self._failure = ""

    @property
    def running(self) -> bool:
        return self._child is not None

    def step(self) -> str:
        """Start, watch or repeat the attempt; return its state in plain words."""
        now_s = time.monotonic()
        if self._child is None:
            if now_s < self._retry_at_s:
                return f"its weights could not be fetched: {self._failure}; the next try is later"
            self._child = subprocess.Popen(self._command, cwd=_ROOT, stdout=subprocess.PIPE, text=True)  # noqa: S603 - our own argv
            self._started_s = now_s
        elif self._child.poll() is not None:
            self._finish(now_s)
        elif now_s - self._started_s > _ATTEMPT_S_MAX:
            self._child.kill()
        return "its weights are being fetched" if self.running else f"its weights could not be fetched: {self._failure}"

    def stop(self) -> None:
        """End a running attempt. It drops what it had downloaded; where it must be killed, the next attempt does."""
        if self._child is None:
            return
        self._child.terminate()
        try:
            self._child.communicate(timeout=_CLEAN_UP_S_MAX)
        except subprocess.TimeoutExpired:
            self._child.kill()
            self._child.communicate()
        self._child = None

    def _finish(self, now_s: float) -> None:
        if self._child is None:
            return
        said, _ = self._child.communicate()
        self._failure = _last_words(said, self._child.returncode)
        self._child = None
        self._failures += 1
        self._retry_at_s = now_s + min(_RETRY_S_MAX, _RETRY_S_MIN * 2 ** (self._failures - 1))


def _command(predictor: Path, version_dir: Path) -> list[str]:
    return [sys.executable, "-m", "app.inference.fetch_child", str(predictor.resolve()), str(version_dir.resolve())]


def _last_words(said: str, status: int) -> str:
    return said.strip().splitlines()[-1] if said.strip() else f"the fetching process ended with {status}"
