"""The child process that fetches one version: `python -m app.inference.fetch_child PREDICTOR VERSION_DIR`.

Its last line on stdout says in plain words why it failed; it exits 0 only when the weights are in place. However it
ends, half a download does not stay: a SIGTERM, or the end of its parent, unwinds it; after a SIGKILL the next one
removes the files whose names begin with `.fetch-`.
"""

import fcntl
import os
import runpy
import signal
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from app.errors import AppError, Unavailable

_PARENT_LOOK_S = 0.5


class FetchRunning(Unavailable):
    """Another process, a server or a command, is fetching the same version."""

    code = "fetch_running"


def main(predictor: Path, version_dir: Path) -> int:
    """Call the predictor's `fetch` on a folder that exists; return the exit status."""
    signal.signal(signal.SIGTERM, _unwind)
    threading.Thread(target=_end_with, args=(os.getppid(),), daemon=True).start()
    try:
        fetch = runpy.run_path(str(predictor)).get("fetch")
        if fetch is None:
            print("this model does not know where its weights could be fetched")  # noqa: T201
            return 1
        with _alone_in(version_dir):
            fetch(version_dir)
    except AppError as error:
        print(error)  # noqa: T201 - the parent reads it
        return 1
    except Exception as error:  # noqa: BLE001 - a predictor may raise anything; the parent shows one plain line
        print(f"{type(error).__name__}: {error}")  # noqa: T201
        return 1
    return 0


@contextmanager
def _alone_in(version_dir: Path) -> Iterator[None]:
    """Hold the folder's lock, which the kernel takes back however the process ends, and drop what others left there.

    Raises FetchRunning.
    """
    version_dir.mkdir(parents=True, exist_ok=True)
    with (version_dir / ".fetch.lock").open("wb") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise FetchRunning("another process is fetching them") from None
        for left in version_dir.glob(".fetch-*"):
            left.unlink()
        yield


def _unwind(*_: object) -> None:
    """Leave by an exception, so that every `finally` runs; a second signal does not disturb them."""
    signal.signal(signal.SIGTERM, signal.SIG_IGN)
    sys.exit(128 + signal.SIGTERM)


def _end_with(parent: int) -> None:
    """Watch the parent; once it is gone, killed perhaps, end this process too."""
    while os.getppid() == parent:
        time.sleep(_PARENT_LOOK_S)
    os.kill(os.getpid(), signal.SIGTERM)


if __name__ == "__main__":
    sys.exit(main(Path(sys.argv[1]), Path(sys.argv[2])))
