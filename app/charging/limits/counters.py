"""Where limits are counted: in this process, or in Redis for several."""

from typing import Protocol

from app.charging.limits.rule import Rules
from app.charging.limits.taken import Taken


class Counters(Protocol):
    """Counts all rules of a call together or none of them."""

    async def take(self, rules: Rules, minute: int) -> Taken:
        """Count a call; where a rule refuses it, nothing is counted."""
        ...

    def give_back(self, taken: Taken) -> None:
        """Count a call's rates no longer: it was refused after all."""
        ...

    def end(self, taken: Taken) -> None:
        """Free a call's slots: it has ended."""
        ...

    async def start(self) -> None:
        """Begin to work."""
        ...

    async def stop(self) -> None:
        """Tell others what is still to be told, and end."""
        ...
