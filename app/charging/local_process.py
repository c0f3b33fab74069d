"""Who this process is to others: its host, and whether a process of that host lives."""

import os
import socket
from functools import cache
from pathlib import Path

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")
_PID_NAMESPACE = Path("/proc/self/ns/pid")


@cache
def this_host() -> str:
    """Return what processes share that see each other by their pids.

    A name alone does not tell: containers may share one, and a machine keeps its own when it starts again. Where the
    system tells no more (it is no Linux) the name has to do.
    """
    try:
        namespace = _PID_NAMESPACE.readlink()
        boot = _BOOT_ID.read_text().strip()
    except OSError:
        return socket.gethostname()
    return f"{socket.gethostname()} {boot} {namespace}"


def process_lives(pid: int) -> bool:
    """Tell whether there is a process of that id on this host, whoever owns it."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True
