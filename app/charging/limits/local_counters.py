"""Counters of this process: rates in the memory of the library `limits`, slots in a plain count.

Nothing here waits, so that on the event loop no other call comes between looking and counting.
"""

from collections import Counter
from itertools import count
from uuid import uuid4

from limits.storage import MemoryStorage

from app.charging.limits.minute import WINDOW_S
from app.charging.limits.rule import RateRule, Rules, SlotRule
from app.charging.limits.taken import Taken

KEPT_S = 2 * WINDOW_S  # a count is of no use after its minute; hosts whose clocks differ are in two minutes at once


class LocalCounters:
    """Counts what this process has admitted. One counter costs the same for a thousand units as for one."""

    def __init__(self) -> None:
        self._rates = MemoryStorage()
        self._slots: Counter[str] = Counter()
        self._process = uuid4().hex
        self._numbers = count()

    async def take(self, rules: Rules, minute: int) -> Taken:
        """Count a call; where a rule refuses it, nothing is counted."""
        return self.count(rules, minute)

    def count(self, rules: Rules, minute: int) -> Taken:
        """Do the same at once."""
        token = f"{self._process}-{next(self._numbers)}"
        counts = tuple(self._used(rule, minute) for rule in rules.all)
        for place, (rule, used) in enumerate(zip(rules.all, counts, strict=True)):
            if used + cost_of(rule) > rule.limit:
                return Taken(rules, minute, token, counts, refused=place)
        for rate in rules.rates:
            self._rates.incr(counter_in(rate, minute), KEPT_S, rate.cost)
        for slot in rules.slots:
            self._slots[slot.counter] += 1
        return Taken(rules, minute, token, tuple(u + cost_of(r) for r, u in zip(rules.all, counts, strict=True)))

    def recount(self, taken: Taken, rules: Rules) -> Taken:
        """Judge a call that is counted already by other rules on the same counters; a refused one is forgotten."""
        counts = tuple(self._used(rule, taken.minute) for rule in rules.all)
        for place, (rule, used) in enumerate(zip(rules.all, counts, strict=True)):
            if used > rule.limit:
                self.give_back(taken)
                self.end(taken)
                return Taken(rules, taken.minute, taken.token, counts, refused=place)
        return Taken(rules, taken.minute, taken.token, counts)

    def give_back(self, taken: Taken) -> None:
        """Count a call's rates no longer: it was refused after all."""
        for rate in taken.rules.rates:
            self._rates.decr(counter_in(rate, taken.minute), rate.cost)

    def end(self, taken: Taken) -> None:
        """Free a call's slots: it has ended."""
        for slot in taken.rules.slots:
            self._slots[slot.counter] -= 1
            if self._slots[slot.counter] <= 0:
                del self._slots[slot.counter]

    async def start(self) -> None:
        """Do nothing: memory is there."""

    async def stop(self) -> None:
        """Do nothing: nobody else has to be told."""

    def _used(self, rule: RateRule | SlotRule, minute: int) -> int:
        if isinstance(rule, SlotRule):
            return self._slots[rule.counter]
        return self._rates.get(counter_in(rule, minute))


def cost_of(rule: RateRule | SlotRule) -> int:
    """Return what the call adds to the rule's count."""
    return rule.cost if isinstance(rule, RateRule) else 1


def counter_in(rate: RateRule, minute: int) -> str:
    """Return the name of the rule's counter in that minute: the next one has a counter of its own."""
    return f"{rate.counter}/{minute}"
