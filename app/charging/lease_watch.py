"""Which processes are dead, told without a wall clock: a lease that stands still while we look on, time after time."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from app.charging.local_process import process_lives

# Between two looks further apart than this we have slept ourselves, and have not seen anybody stand still.
_LOOK_S_MAX = 2.0


@dataclass(frozen=True, slots=True)
class Lease:
    """A row of `process_leases`; `renewals` grows while its process lives."""

    id: str
    renewals: int
    host: str
    pid: int


@dataclass(slots=True)
class _Seen:
    renewals: int
    still_s: float = 0.0


class LeaseWatch:
    """What one process has seen of the others. Time is its own monotonic clock's, and only what it looked on for."""

    def __init__(self, *, host: str, lease_s: float, lives: Callable[[int], bool] = process_lives) -> None:
        self._host = host
        self._lease_s = lease_s
        self._lives = lives
        self._seen: dict[str, _Seen] = {}
        self._looked_s: float | None = None

    def dead(self, leases: Sequence[Lease], now_s: float) -> list[Lease]:
        """Return the leases whose process is dead, by all looks up to this one at `now_s`."""
        passed_s = 0.0 if self._looked_s is None else min(max(0.0, now_s - self._looked_s), _LOOK_S_MAX)
        self._looked_s = now_s
        before, self._seen = self._seen, {}
        for lease in leases:
            seen = before.get(lease.id)
            is_still = seen is not None and seen.renewals == lease.renewals
            self._seen[lease.id] = _Seen(lease.renewals, seen.still_s + passed_s if seen and is_still else 0.0)
        return [lease for lease in leases if self._is_dead(lease)]

    def _is_dead(self, lease: Lease) -> bool:
        gone = lease.host == self._host and not self._lives(lease.pid)
        return gone or self._seen[lease.id].still_s >= self._lease_s
