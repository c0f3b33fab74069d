"""A call's permit: what it took of its limits, until it ends."""

from app.charging.limits.counters import Counters
from app.charging.limits.limit_state import LimitState
from app.charging.limits.taken import Taken, given_back


class Permit:
    """Held by a running call. Both methods return at once, may be called in any order, and count once."""

    __slots__ = ("_counters", "_rates", "_slots", "states")

    def __init__(
        self, states: tuple[LimitState, ...] = (), counters: Counters | None = None, taken: Taken | None = None
    ) -> None:
        """Hold what was taken from those counters; `states` is what the caller is told of its limits."""
        self.states = states
        self._counters = counters
        self._rates = taken if taken is not None and taken.rules.rates else None
        self._slots = taken if taken is not None and taken.rules.slots else None

    def give_back(self) -> None:
        """Return what the call took of its rates: it was refused later, or got an earlier call's answer."""
        taken, self._rates = self._rates, None
        if taken is not None and self._counters is not None:
            self._counters.give_back(taken)
            self.states = given_back(self.states, taken)

    def end(self) -> None:
        """Free the call's slots: it has ended, however it did."""
        taken, self._slots = self._slots, None
        if taken is not None and self._counters is not None:
            self._counters.end(taken)


NO_LIMITS = Permit()  # one for all calls without limits: there is nothing in it to give back or to end
