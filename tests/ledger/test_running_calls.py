"""A pure model of credit and running calls: whoever was admitted can always be paid, from credit valid at the time."""

from dataclasses import replace
from datetime import datetime, timedelta

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from app.ledger.credit_grant import CreditGrant, GrantKind, valid_nanos
from app.ledger.drawdown import by_grant, draw, expirable
from tests.builders import NOON
from tests.ledger.grants import make_grant

DAY = timedelta(days=1)


class RunningCalls(RuleBasedStateMachine):
    """Grants come and expire while calls of any length run; the rules of the gate stand here once more, in one line."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOON
        self.grants: dict[str, CreditGrant] = {}
        self.running: list[tuple[datetime, int]] = []

    @property
    def held_nanos(self) -> int:
        return sum(nanos for _, nanos in self.running)

    @property
    def available_nanos(self) -> int:
        return valid_nanos(self.grants.values(), self.now) - self.held_nanos

    def take(self, nanos_by_grant: dict[str, int]) -> None:
        for grant_id, nanos in nanos_by_grant.items():
            grant = self.grants[grant_id]
            assert 0 < nanos <= grant.remaining_nanos
            self.grants[grant_id] = replace(grant, remaining_nanos=grant.remaining_nanos - nanos)

    @rule(
        nanos=st.integers(1, 3),
        kind=st.sampled_from(GrantKind),
        priority=st.integers(0, 1),
        days=st.none() | st.integers(1, 2),
    )
    def grant(self, nanos: int, kind: GrantKind, priority: int, days: int | None) -> None:
        name = f"g{len(self.grants)}"
        expires_at = self.now + days * DAY if days else None
        made = make_grant(name, nanos, kind=kind, priority=priority, expires_at=expires_at, created_at=self.now)
        self.grants[name] = made

    @rule()
    def a_day_passes(self) -> None:
        self.now += DAY

    @precondition(lambda self: self.available_nanos > 0)
    @rule(nanos=st.integers(1, 6))
    def admit(self, nanos: int) -> None:
        self.running.append((self.now, min(nanos, self.available_nanos)))

    @precondition(lambda self: self.running)
    @rule(index=st.integers(0, 5), unused_nanos=st.sampled_from([0, 0, 1]))
    def settle(self, index: int, unused_nanos: int) -> None:
        """All of what was held, or less: results that did not come out."""
        admitted_at, nanos = self.running.pop(index % len(self.running))
        draws = draw(self.grants.values(), nanos - unused_nanos, admitted_at)
        assert all(self.grants[each.grant_id].valid_at(admitted_at) for each in draws)
        self.take(by_grant(draws))

    @precondition(lambda self: self.running)
    @rule(index=st.integers(0, 5))
    def release(self, index: int) -> None:
        self.running.pop(index % len(self.running))

    @rule()
    def expire(self) -> None:
        self.take(expirable(self.grants.values(), self.held_nanos, self.now))

    @precondition(lambda self: self.available_nanos > 0)
    @rule(index=st.integers(0, 5), nanos=st.integers(1, 3))
    def refund(self, index: int, nanos: int) -> None:
        valid = [grant for grant in self.grants.values() if grant.valid_at(self.now) and grant.remaining_nanos]
        grant = valid[index % len(valid)]
        self.take({grant.id: min(nanos, grant.remaining_nanos, self.available_nanos)})

    @invariant()
    def what_is_left_covers_what_is_held(self) -> None:
        assert sum(grant.remaining_nanos for grant in self.grants.values()) >= self.held_nanos


TestRunningCalls = RunningCalls.TestCase
