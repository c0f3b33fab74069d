"""The plan versions that price calls now, kept in memory: the hot path asks here, not the database."""

from datetime import datetime, timedelta

from app.database import Database
from app.fact_cache import FactCache
from app.period import Period
from app.pricing import store
from app.pricing.plan import PlanSegment, PlanVersion

_HORIZON = timedelta(hours=1)
_ACCOUNTS_CACHED_MAX = 100_000


class PlanBook:
    """Knows each active account's plan segments for the hour to come, so that a change to come takes effect on time.

    `forget()` is called when the change sequence has moved.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
        self._segments: FactCache[str, tuple[Period, list[PlanSegment]]] = FactCache(_ACCOUNTS_CACHED_MAX)

    def known(self, account_id: str, instant: datetime) -> tuple[PlanVersion | None] | None:
        """Return a 1-tuple of the version in effect (None: no plan), or None where `look_up` must be asked."""
        cached = self._segments.get(account_id)
        if cached is None or instant not in cached[0]:
            return None
        return (next((s.plan_version for s in cached[1] if instant in s.period), None),)

    def look_up(self, account_id: str, instant: datetime) -> PlanVersion | None:
        """Return the version in effect, from the database where need be. Raises DatabaseUnavailable."""
        known = self.known(account_id, instant)
        if known is not None:
            return known[0]
        horizon = Period(instant, instant + _HORIZON)
        _, segments = self._segments.load(account_id, lambda: (horizon, self._read(account_id, horizon)))
        return next((s.plan_version for s in segments if instant in s.period), None)

    def forget(self) -> None:
        """Drop every cached fact."""
        self._segments.clear()

    def _read(self, account_id: str, period: Period) -> list[PlanSegment]:
        with self._database.reading() as session:
            return store.plan_segments(session, account_id, period)
