"""How often calls that were refused may look into the database for the answer of an earlier one under their key.

A repeat of a call that was answered gets that answer, also where it would be refused now. To find it costs a read, and
whoever floods the service with refused calls would cause it without end: so an account has a number of them a minute.
"""

from collections import Counter, OrderedDict
from datetime import datetime

from app.charging.limits.minute import minute_of

LOOKS_PER_MINUTE_MAX = 60
LOOKS_FOR_KNOWN_PER_MINUTE_MAX = 600  # what this process has answered itself is found: not one of these is in vain
_KNOWN_KEYS_MAX = 10_000


class SecondLooks:
    """Counts looks by account, in this process; knows which keys it has answered lately. For one event loop."""

    def __init__(self) -> None:
        self._minute = 0
        self._looks: Counter[tuple[str, bool]] = Counter()
        self._known: OrderedDict[tuple[str, str], None] = OrderedDict()

    def answered(self, account_id: str, idempotency_key: str) -> None:
        """Remember that a call under that key has its answer in the database."""
        self._known[account_id, idempotency_key] = None
        if len(self._known) > _KNOWN_KEYS_MAX:
            self._known.popitem(last=False)

    def may_look(self, account_id: str, idempotency_key: str, now: datetime) -> bool:
        """Tell whether a refused call under that key may look for an answer, and count it."""
        if (minute := minute_of(now)) != self._minute:
            self._minute, self._looks = minute, Counter()
        known = (account_id, idempotency_key) in self._known
        if self._looks[account_id, known] >= (LOOKS_FOR_KNOWN_PER_MINUTE_MAX if known else LOOKS_PER_MINUTE_MAX):
            return False
        self._looks[account_id, known] += 1
        return True
