"""The gates of some accounts: locked, read, moved in memory, and written back once."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field

from app.accounts.store import gated_among
from app.charging import hold_store
from app.charging.gate_account import GateAccount, Settlement
from app.charging.gate_store import AccountReading, lock_and_read
from app.charging.hold import Hold, HoldRequest
from app.charging.open_gate import GatesMissing
from app.database import Session
from app.errors import InvariantViolation
from app.group_sql import in_one_go
from app.metering.meter import Quantities
from app.pricing.plan import PlanVersion
from app.pricing.store import find_versions

_VERSIONS_MAX = 10_000


class PlanVersionShelf:
    """Frozen plan versions by id, read once a process: they never change.

    Several threads use it at once: what one of them was given is never changed, only replaced for those that come.
    """

    def __init__(self) -> None:
        self._versions: Mapping[str, PlanVersion] = {}

    def versions(self, session: Session, version_ids: Collection[str]) -> Mapping[str, PlanVersion]:
        """Return at least those versions. Raises InvariantViolation for one that does not exist."""
        known = self._versions
        missing = set(version_ids) - known.keys()
        if not missing:
            return known
        found = find_versions(session, missing)
        if unknown := missing - found.keys():
            raise InvariantViolation(f"there is no plan version {', '.join(sorted(unknown))}")
        kept = known if len(known) < _VERSIONS_MAX else {each: known[each] for each in version_ids if each in known}
        self._versions = versions = {**kept, **found}
        return versions


@dataclass(slots=True)
class GateBook:
    """`holds` are those that were found. What `taken` and `ended` name is written by `save`."""

    gates: dict[str, GateAccount]
    holds: dict[str, Hold]
    taken: list[Hold] = field(default_factory=list)
    ended: list[str] = field(default_factory=list)

    def take(self, request: HoldRequest) -> None:
        """Set aside for a call, once; nothing where its account has no gate. Raises what GateAccount.take raises."""
        gate = self.gates.get(request.account_id)
        if gate is not None and request.event_id not in self.holds:
            hold = gate.take(request)
            self.holds[hold.event_id] = hold
            self.taken.append(hold)

    def release(self, event_id: str) -> bool:
        """Give back what a call held; return False where it holds nothing any more."""
        hold = self.holds.pop(event_id, None)
        if hold is None or hold.account_id not in self.gates:
            return False
        self.gates[hold.account_id].release(hold)
        self.ended.append(event_id)
        return True

    def settle(self, event_id: str, used: Quantities) -> Settlement:
        """Turn a hold that was found or taken into use. Raises InvariantViolation where more was used than held."""
        hold = self.holds.pop(event_id)
        self.ended.append(event_id)
        return self.gates[hold.account_id].settle(hold, used)

    def save(self, session: Session, *, lease_id: str) -> None:
        """Write back what has moved."""
        ended = set(self.ended)
        positions = {
            (name, key): gate.positions[key] for name, gate in self.gates.items() for key in gate.moved_positions
        }
        counters = {(name, key): gate.counters[key] for name, gate in self.gates.items() for key in gate.moved_counters}
        with in_one_go(session):
            hold_store.insert_holds(session, [h for h in self.taken if h.event_id not in ended], lease_id=lease_id)
            hold_store.delete_holds(session, ended - {hold.event_id for hold in self.taken})
            hold_store.save_positions(session, positions)
            hold_store.save_counters(session, counters)


def open_book(
    session: Session,
    shelf: PlanVersionShelf,
    requests: Sequence[HoldRequest],
    held: Mapping[str, str],
) -> GateBook:
    """Lock and read the gates of the requests, and of the holds that `held` names: event id to account id.

    Raises GatesMissing where an account needs one that does not stand yet: `with_gates` makes it, and calls again.
    """
    asking = {request.account_id for request in requests}
    leaving = hold_store.find_holds(session, held.keys()) if held else {}
    calls: list[HoldRequest | Hold] = [*requests, *leaving.values()]
    readings, holds = lock_and_read(session, asking | set(held.values()), calls)
    if missing := gated_among(session, asking - readings.keys()):
        raise GatesMissing(missing)  # to wait for one now would be out of order: others are locked
    version_ids = {_version_id(call) for call in calls if call.account_id in readings}
    version_ids |= {key.plan_version_id for reading in readings.values() for key in reading.positions}
    versions = shelf.versions(session, version_ids)
    return GateBook({account_id: _gate_of(reading, versions) for account_id, reading in readings.items()}, holds)


def _gate_of(reading: AccountReading, versions: Mapping[str, PlanVersion]) -> GateAccount:
    return GateAccount(
        account=reading.account,
        budgets=reading.budgets,
        versions=versions,
        positions=reading.positions,
        counters=reading.counters,
        grants=reading.grants,
    )


def _version_id(call: HoldRequest | Hold) -> str:
    return call.plan_version.id if isinstance(call, HoldRequest) else call.plan_version_id
