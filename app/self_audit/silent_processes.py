"""Processes that hold something and give no sign of life: seen by looking on, since no clock tells that."""

import time
from collections.abc import Callable

from app.charging.lease_store import all_leases
from app.charging.lease_watch import LeaseWatch
from app.charging.local_process import this_host
from app.database import Database
from app.self_audit import gate_store

_LOOK_EVERY_S = 0.5


def held_by_silent(
    database: Database,
    lease_s: float,
    *,
    sleep: Callable[[float], None] = time.sleep,
    monotonic_s: Callable[[], float] = time.monotonic,
) -> dict[str, int]:
    """Return how many holds and running claims belong to leases that stand still, by name; empty where none does.

    Looks on until each process that holds something has given a sign of life, or has given none for `lease_s`. What
    belongs to processes that are known to be gone is left to the check of processes. Raises DatabaseUnavailable.
    """
    watch = LeaseWatch(host=this_host(), lease_s=lease_s)
    with database.reading() as session:
        held, leases = gate_store.held_by_lease(session), all_leases(session)
    gone = watch.dead(leases, monotonic_s())
    waiting = [it for it in leases if it not in gone and any(it.id in counts for counts in held.values())]
    silent: set[str] = set()
    while waiting:
        sleep(_LOOK_EVERY_S)
        with database.reading() as session:
            held, leases = gate_store.held_by_lease(session), all_leases(session)
        silent |= {lease.id for lease in watch.dead(leases, monotonic_s()) if lease in waiting}
        waiting = [lease for lease in waiting if lease in leases and lease.id not in silent]  # with the same renewals
    sums = {
        name: sum(count for lease_id, count in counts.items() if lease_id in silent) for name, counts in held.items()
    }
    return {name: count for name, count in sums.items() if count}
