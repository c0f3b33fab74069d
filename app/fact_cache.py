"""A bounded cache of immutable facts that is emptied, never updated.

A value that was being loaded while the cache was emptied is returned to its caller and not kept: otherwise a slow load
could put back what a revocation has just removed.
"""

from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Fact = TypeVar("Fact")


class FactCache(Generic[Key, Fact]):
    """Keeps up to `entries_max` facts; when full it starts afresh, which costs one load an entry."""

    def __init__(self, entries_max: int) -> None:
        self._entries_max = entries_max
        self._facts: dict[Key, Fact] = {}
        self._generation = 0

    def get(self, key: Key) -> Fact | None:
        """Return the fact, or None where it is not known."""
        return self._facts.get(key)

    def __contains__(self, key: Key) -> bool:
        return key in self._facts

    def load(self, key: Key, loader: Callable[[], Fact]) -> Fact:
        """Return the fact that `loader` reads, and keep it unless the cache was emptied meanwhile."""
        generation = self._generation
        fact = loader()
        if generation == self._generation:
            if len(self._facts) >= self._entries_max:
                self._facts = {}
            self._facts[key] = fact
        return fact

    def clear(self) -> None:
        """Forget everything."""
        self._generation += 1
        self._facts = {}
