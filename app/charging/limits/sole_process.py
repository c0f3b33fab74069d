"""Whether another server serves from this database: limits that each counted for itself would be none."""

import asyncio
import os
from dataclasses import dataclass

from app.charging import lease_store
from app.charging.lease_watch import Lease
from app.charging.local_process import process_lives, this_host
from app.charging.process_lease import ProcessLease
from app.database import Database
from app.errors import Conflict

_LOOK_EVERY_S = 0.25
_RENEWALS_TO_WAIT_FOR = 1.5  # of another host nobody knows whether it lives, until its lease has had time to be renewed


class OtherServerLives(Conflict):
    """Another server gives signs of life in the same database."""

    code = "other_server_lives"


@dataclass(frozen=True, slots=True)
class SoleProcess:
    """Looks at the leases of others, once this process has taken its own: of two that start at once one gives way."""

    database: Database
    lease: ProcessLease

    async def require(self) -> None:
        """Raise OtherServerLives as soon as another server renews its lease; dead ones keep nobody from starting."""
        elders = await asyncio.to_thread(self._elders)
        patience_s = _RENEWALS_TO_WAIT_FOR * self.lease.renewed_every_s
        while elders and patience_s > 0:
            await asyncio.sleep(_LOOK_EVERY_S)
            patience_s -= _LOOK_EVERY_S
            now = {lease.id: lease for lease in await asyncio.to_thread(self._leases)}
            for elder in elders:
                if elder.id in now and now[elder.id].renewals != elder.renewals:
                    raise OtherServerLives(
                        f"another server (process {elder.pid} on {elder.host.partition(' ')[0]}) serves from this"
                        " database, and each would count the limits for itself",
                        hint="set FAREMETER_REDIS_URL for several, stop the other one, or set FAREMETER_LIMITS=off",
                    )
            elders = [elder for elder in elders if elder.id in now]

    def _elders(self) -> list[Lease]:
        """Return the leases of others that may live and came first; who comes later looks at ours, and gives way."""
        leases = self._leases()
        own = next((lease for lease in leases if lease.id == self.lease.id), None)
        age = (-own.renewals, own.id) if own else (0, self.lease.id)
        others = [lease for lease in leases if lease.id != self.lease.id and not _is_dead(lease)]
        return [lease for lease in others if (-lease.renewals, lease.id) < age]

    def _leases(self) -> list[Lease]:
        with self.database.reading() as session:
            return lease_store.all_leases(session)


def _is_dead(lease: Lease) -> bool:
    """Tell whether this host knows that the lease's process is gone: also one whose id this process has now."""
    return lease.host == this_host() and (lease.pid == os.getpid() or not process_lives(lease.pid))
