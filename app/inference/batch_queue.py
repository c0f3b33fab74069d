"""The batch queue of one served version: what waits, and the decision what goes next. No thread, no clock, no lock.

Work-conserving: `take` never waits for company. An idle device takes what is there; while a device is busy the queue
grows, and the next batch with it, up to `items_max`.
"""

from collections import OrderedDict
from dataclasses import dataclass, field
from enum import Enum
from typing import Generic, TypeVar

from app.inference.engine import Overloaded


class EntryState(Enum):
    """WAITING becomes STARTED (taken for a batch) or LEFT (cancelled, or past its deadline); both are final."""

    WAITING = 0
    STARTED = 1
    LEFT = 2


@dataclass(slots=True, eq=False)
class Entry:
    """One waiting call of `items` inputs; both instants are on one monotonic clock, in nanoseconds."""

    items: int
    submitted_ns: int
    deadline_ns: int
    state: EntryState = field(default=EntryState.WAITING, init=False)


Waiting = TypeVar("Waiting", bound=Entry)


@dataclass(frozen=True, slots=True)
class Take(Generic[Waiting]):
    """What leaves the queue: one batch, oldest first, and the entries whose deadline passed while they waited."""

    batch: list[Waiting]
    expired: list[Waiting]


class BatchQueue(Generic[Waiting]):
    """First come, first served, bounded by the inputs that wait."""

    def __init__(self, *, items_max: int, waiting_items_max: int) -> None:
        self._items_max = items_max
        self._waiting_items_max = waiting_items_max
        # An ordered set: whoever gives up leaves at once, from any place, and frees the memory of its inputs.
        self._entries: OrderedDict[Waiting, None] = OrderedDict()
        self.waiting_items = 0

    def offer(self, entry: Waiting) -> None:
        """Add an entry at the end; an empty queue takes any. Raises Overloaded where too many inputs would wait."""
        if self._entries and self.waiting_items + entry.items > self._waiting_items_max:
            raise Overloaded(
                "too many inputs wait for this model; nothing was charged", hint="try again shortly", retry_after_s=1
            )
        self._entries[entry] = None
        self.waiting_items += entry.items

    def withdraw(self, entry: Waiting) -> bool:
        """Take an entry out that has not started. True where that was so."""
        if entry.state is not EntryState.WAITING:
            return False
        self._remove(entry, EntryState.LEFT)
        return True

    def oldest_ns(self) -> int | None:
        """Return when the entry at the head was submitted, or None where nothing waits."""
        return next(iter(self._entries)).submitted_ns if self._entries else None

    def take(self, now_ns: int) -> Take[Waiting]:
        """Remove the next batch: the longest run of live entries, in order, that fits `items_max`.

        The first one always fits: a call of more than `items_max` inputs goes alone and is run in chunks.
        """
        batch: list[Waiting] = []
        expired: list[Waiting] = []
        room = self._items_max
        while self._entries:
            entry = next(iter(self._entries))
            if entry.deadline_ns <= now_ns:
                self._remove(entry, EntryState.LEFT)
                expired.append(entry)
            elif batch and entry.items > room:
                break
            else:
                self._remove(entry, EntryState.STARTED)
                batch.append(entry)
                room -= entry.items
        return Take(batch, expired)

    def drain(self) -> list[Waiting]:
        """Remove everything that waits."""
        entries = list(self._entries)
        for entry in entries:
            self._remove(entry, EntryState.LEFT)
        return entries

    def _remove(self, entry: Waiting, state: EntryState) -> None:
        del self._entries[entry]
        self.waiting_items -= entry.items
        entry.state = state
