"""What a caller is told of a limit after its call."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class LimitState:
    """How far a limit is used.

    `reset_s` is when it counts anew, `window_s` how long it counts; a limit of calls at once has neither.
    """

    name: str
    limit: int
    remaining: int
    reset_s: int | None
    window_s: int | None
