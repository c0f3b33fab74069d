"""The limits of models, kept in memory: the hot path asks here, not the database."""

import asyncio
from collections.abc import Mapping

from app.accounts import rate_limit_store
from app.accounts.rate_limits import UNLIMITED, RateLimits
from app.database import Database


class ModelLimits:
    """Knows every model's limits. `forget()` is called when the change sequence has moved."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._known: Mapping[str, RateLimits] | None = None
        self._changes = 0

    def known(self, model: str) -> RateLimits | None:
        """Return a model's limits, or None where `look_up` must be asked."""
        return None if self._known is None else self._known.get(model, UNLIMITED)

    async def look_up(self, model: str) -> RateLimits:
        """Return a model's limits from the database. Raises DatabaseUnavailable."""
        return (await self._read()).get(model, UNLIMITED)

    def forget(self) -> None:
        """Drop what is known."""
        self._changes += 1
        self._known = None

    async def _read(self) -> Mapping[str, RateLimits]:
        before = self._changes
        found = await asyncio.to_thread(self._find)
        if before == self._changes:  # else it may be older than the change that was just noticed
            self._known = found
        return found

    def _find(self) -> Mapping[str, RateLimits]:
        with self._database.reading() as session:
            return rate_limit_store.limits_of_models(session)
