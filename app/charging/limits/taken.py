"""What a call has taken of its limits, or that it got nothing: pure."""

from dataclasses import dataclass, replace

from app.charging.limits.limit_state import LimitState
from app.charging.limits.minute import WINDOW_S
from app.charging.limits.rule import RateRule, Rules, SlotRule


@dataclass(frozen=True, slots=True)
class Taken:
    """The counts after a call, one for each of `rules.all`.

    `token` names the call's slots, `minute` the window of its rates. Where a rule refused the call, `refused` is its
    place among the rules, and nothing was taken. `shared` says that Redis has counted it too.
    """

    rules: Rules
    minute: int
    token: str
    counts: tuple[int, ...]
    refused: int | None = None
    shared: bool = False

    @property
    def refused_by(self) -> RateRule | SlotRule | None:
        """The rule that refused the call."""
        return None if self.refused is None else self.rules.all[self.refused]


def states_of(taken: Taken, reset_s: int) -> tuple[LimitState, ...]:
    """Return what the caller is told, `reset_s` seconds before the end of the minute."""
    return tuple(
        LimitState(
            name=rule.name,
            limit=rule.limit,
            remaining=max(0, rule.limit - count),
            reset_s=reset_s if isinstance(rule, RateRule) else None,
            window_s=WINDOW_S if isinstance(rule, RateRule) else None,
        )
        for rule, count in zip(taken.rules.all, taken.counts, strict=True)
    )


def given_back(states: tuple[LimitState, ...], taken: Taken) -> tuple[LimitState, ...]:
    """Return what the caller is told once the call's rates count no longer."""
    return tuple(
        replace(state, remaining=min(state.limit, state.remaining + rule.cost)) if isinstance(rule, RateRule) else state
        for state, rule in zip(states, taken.rules.all, strict=True)
    )
