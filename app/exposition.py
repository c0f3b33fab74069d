"""What Prometheus reads: the numbers of this process, or of all processes of `serve --http-workers`.

The library keeps the numbers of several processes in a folder, which it finds by an environment variable of its own.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from prometheus_client import REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

_FOLDER = "PROMETHEUS_MULTIPROC_DIR"


def metrics_text() -> bytes:
    """Return the metrics in Prometheus' text format."""
    if _FOLDER not in os.environ:
        return generate_latest(REGISTRY)
    together = CollectorRegistry()
    MultiProcessCollector(together)  # type: ignore[no-untyped-call]
    return generate_latest(together)


@contextmanager
def folder_of_processes() -> Iterator[None]:
    """Let the processes that are started meanwhile tell their numbers together, from zero."""
    with TemporaryDirectory(prefix="faremeter-metrics-") as folder:
        os.environ[_FOLDER] = folder
        try:
            yield
        finally:
            del os.environ[_FOLDER]


@contextmanager
def numbers_of_process() -> Iterator[None]:
    """Take the present state of this process out of the sums when it ends, and that of those that were killed."""
    if _FOLDER not in os.environ:
        yield
        return
    for file in Path(os.environ[_FOLDER]).glob("gauge_live*_*.db"):
        pid = int(file.stem.rpartition("_")[2])
        if not _lives(pid):
            mark_process_dead(pid)  # type: ignore[no-untyped-call]
    try:
        yield
    finally:
        mark_process_dead(os.getpid())  # type: ignore[no-untyped-call]


def _lives(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True
