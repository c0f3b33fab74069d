"""A bounded cache of immutable facts that is emptied, never updated.

A value that was being loaded while the cache was emptied is returned to its caller and not kept: otherwise a slow load
could put back what a revocation has just removed.
"""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Fact = TypeVar("Fact")


class FactCache(Generic[Key, Fact]):
    """Keeps up to `entries_max` facts; when full it starts afresh, which costs one load an entry. Safe for threads."""

    def __init__(self, entries_max: int) -> None:
        self._entries_max = entries_max
        self._facts: dict[Key, Fact] = {}

    def get(self, key: Key) -> Fact | None:
        """Return the fact, or None where it is not known."""
        return self._facts.get(key)

    def load(self, key: Key, loader: Callable[[], Fact], *, keep: Callable[[Fact], bool] = lambda _: True) -> Fact:
        """Return the fact that `loader` reads; keep it if `keep` agrees and the cache was not emptied meanwhile."""
        facts = self._facts
        fact = loader()
        if not keep(fact):
            return fact
        if len(facts) >= self._entries_max:
            facts.clear()
        facts[key] = fact  # nobody looks here any more where `clear` has put another dictionary in its place
        return fact

    def clear(self) -> None:
        """Forget everything."""
        self._facts = {}
