"""The limiter: a call takes all of its limits, or is refused and takes nothing."""

from app.accounts.account import Principal
from app.accounts.rate_limits import UNLIMITED
from app.charging.limits.counters import Counters
from app.charging.limits.minute import minute_of, seconds_left
from app.charging.limits.model_limits import ModelLimits
from app.charging.limits.permit import NO_LIMITS, Permit
from app.charging.limits.refusal import refusal, too_large
from app.charging.limits.rule import rules_of
from app.charging.limits.taken import states_of
from app.charging.metrics import limit_refusals
from app.clock import Clock


class Limiter:
    """Knows the limits that apply to a call, and counts them. Without `counters` limits are off."""

    def __init__(self, models: ModelLimits, counters: Counters | None, clock: Clock) -> None:
        self._models = models
        self._counters = counters
        self._clock = clock

    async def take(self, principal: Principal, model: str, units: int) -> Permit:
        """Count a call of that many units and return its permit; the caller ends it.

        Raises CallTooLarge, RateLimited, ConcurrencyLimited: then nothing is counted.
        """
        counters = self._counters
        if counters is None:
            return NO_LIMITS
        of_model = self._models.known(model) or await self._models.look_up(model)
        if principal.live and principal.limits is principal.account_limits is of_model is UNLIMITED:
            return NO_LIMITS  # most calls: they pay for this look alone
        rules = rules_of(principal, model, of_model, units)
        if not rules.all:
            return NO_LIMITS
        if (never_kept := rules.never_kept) is not None:
            limit_refusals.labels(never_kept.name).inc()
            raise too_large(never_kept)
        now = self._clock.now()
        taken = await counters.take(rules, minute_of(now))
        reset_s = seconds_left(now)
        states = states_of(taken, reset_s)
        if (refused_by := taken.refused_by) is not None:
            limit_refusals.labels(refused_by.name).inc()
            raise refusal(refused_by, reset_s, states)
        return Permit(states, counters, taken)

    async def start(self) -> None:
        """Begin to count."""
        if self._counters is not None:
            await self._counters.start()

    async def stop(self) -> None:
        """Give back what ended calls still hold elsewhere."""
        if self._counters is not None:
            await self._counters.stop()
