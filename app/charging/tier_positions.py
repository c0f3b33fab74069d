"""How far into the tiers of a graduated price an account is: for the estimate in an answer, never for an invoice."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from app.accounts.store import find_account
from app.clock import Clock
from app.database import Database
from app.metering import store as metering_store
from app.metering.meter import Quantities
from app.period import Period, period_at

_FRESH = timedelta(seconds=30)
_POSITIONS_MAX = 100_000


@dataclass(frozen=True, slots=True)
class PositionKey:
    """What tiers are counted by: an account's use of one model under one plan version, in the period of now."""

    account_id: str
    plan_version_id: str
    model: str


@dataclass(slots=True)
class _Position:
    quantities: Quantities
    period: Period
    read_at: datetime


class TierPositions:
    """Sums of the rollup, at most 30 s old, plus what this process has added since."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._positions: dict[PositionKey, _Position] = {}

    def known(self, key: PositionKey) -> Quantities | None:
        """Return the position, or None where it must be read first."""
        position = self._positions.get(key)
        now = self._clock.now()
        if position is None or now not in position.period or now - position.read_at > _FRESH:
            return None
        return position.quantities

    def read(self, key: PositionKey) -> Quantities:
        """Read the position from the rollup. Raises DatabaseUnavailable."""
        now = self._clock.now()
        with self._database.reading() as session:
            account = find_account(session, key.account_id)
            period = period_at(now, account.anchor_day, ZoneInfo(account.zone)) if account else None
            totals = metering_store.quantities(session, key.account_id, period) if period else []
        used = [t.quantities for t in totals if (t.plan_version_id, t.model) == (key.plan_version_id, key.model)]
        quantities = used[0] if used else Quantities()
        if period is not None:
            if len(self._positions) >= _POSITIONS_MAX:
                self._positions.clear()
            self._positions[key] = _Position(quantities, period, now)
        return quantities

    def add(self, key: PositionKey, quantities: Quantities) -> None:
        """Move on by what was just recorded."""
        if position := self._positions.get(key):
            position.quantities += quantities
