"""What several serving processes need before the first of them starts."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

from app.errors import Invalid
from app.exposition import folder_of_processes
from app.settings import Settings

_PROCESSES = "FAREMETER_HTTP_PROCESSES"


class RedisMissing(Invalid):
    """Several processes would each count the limits for itself."""

    code = "redis_missing"


@contextmanager
def prepared_for(http_workers: int, settings: Settings) -> Iterator[None]:
    """Let that many serving processes be started meanwhile. Raises RedisMissing where they could not share limits."""
    if http_workers == 1:
        yield
        return
    if settings.limits == "on" and settings.redis_url is None:
        raise RedisMissing(
            f"{http_workers} serving processes need a Redis to count limits together",
            where="--http-workers",
            hint="set FAREMETER_REDIS_URL, or FAREMETER_LIMITS=off",
        )
    os.environ.setdefault(_PROCESSES, str(http_workers))  # on several hosts the operator says how many there are
    with folder_of_processes():
        yield
