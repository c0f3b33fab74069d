"""A plain model of an account's books: integers, lists and loops, with no code of the program.

It keeps no counter: what is held, spent or left is summed up anew from calls and grants whenever somebody asks.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from fractions import Fraction

REQUESTS, UNITS, RESULTS = range(3)
METERS = ("requests", "units", "results")
NANO = 10**9
ZONE, ZONE_AHEAD, ANCHOR_DAY = "Asia/Tokyo", timedelta(hours=9), 10
FOR_EVER = datetime(1970, 1, 1, tzinfo=UTC)
NEVER = datetime.max.replace(tzinfo=UTC)

Tiers = tuple[tuple[int | None, str], ...]
Amounts = tuple[int, int, int]  # of requests, units and results
# By model and meter: up to which unit, at which price. Few nanos each, so that examples stay small.
PRICES: dict[str, dict[int, Tiers]] = {
    "flat": {REQUESTS: ((None, "0.000000002"),), UNITS: ((None, "0.000000003"),)},
    "falling": {UNITS: ((4, "0.000000005"), (9, "0.000000002"), (None, "0.000000001"))},
    "rising": {UNITS: ((3, "0"), (8, "0.000000002"), (None, "0.000000007"))},
    "outcome": {REQUESTS: ((None, "0.000000001"),), RESULTS: ((2, "0.000000009"), (None, "0.000000004"))},
}
MODELS = tuple(PRICES)
EXACT_MODELS = ("flat",)


def plan_toml(key: str, *, prepaid: bool) -> str:
    """Return the plan file of those prices."""
    lines = [f'key = "{key}"', 'currency = "USD"', f'billing = "{"prepaid" if prepaid else "postpaid"}"']
    lines.append('base_fee = "0"')
    for model, meters in PRICES.items():
        for meter, tiers in meters.items():
            lines += ["[[price]]", f'model = "{model}"', f'meter = "{METERS[meter]}"']
            lines += [f'scheme = "{"per_unit" if len(tiers) == 1 else "graduated"}"']
            lines += [f'unit_price = "{tiers[0][1]}"'] if len(tiers) == 1 else []
            lines += ["[price.when]", 'field = "probability"', 'min = "0.5"'] if meter == RESULTS else []
            for up_to, price in tiers if len(tiers) > 1 else ():
                lines += ["[[price.tier]]", *([f"up_to = {up_to}"] if up_to else []), f'unit_price = "{price}"']
    return "\n".join(lines)


def cost_of(model: str, used: Amounts) -> int:
    """Return what a period's use costs in nanos, by the definition: each tier's units times its price, summed up."""
    total = Fraction(0)
    for meter, tiers in PRICES[model].items():
        low = 0
        for up_to, price in tiers:
            high = used[meter] if up_to is None else min(used[meter], up_to)
            total += max(0, high - low) * Fraction(price)
            low = low if up_to is None else up_to
    nanos = total * NANO
    assert nanos.denominator == 1
    return nanos.numerator


def plus(one: Amounts, other: Amounts) -> Amounts:
    return (one[0] + other[0], one[1] + other[1], one[2] + other[2])


def day_of(at: datetime) -> datetime:
    """Return when the local day began."""
    local = at + ZONE_AHEAD
    return local.replace(hour=0, minute=0, second=0, microsecond=0) - ZONE_AHEAD


def month_of(at: datetime) -> datetime:
    """Return when the billing period began."""
    local = day_of(at) + ZONE_AHEAD
    if local.day < ANCHOR_DAY:
        local = local.replace(day=1) - timedelta(days=1)
    return local.replace(day=ANCHOR_DAY) - ZONE_AHEAD


def window_of(window: str, at: datetime) -> datetime:
    return day_of(at) if window == "day" else month_of(at) if window == "month" else FOR_EVER


@dataclass(frozen=True)
class Place:
    """What tiers are counted by."""

    month: datetime
    plan: str
    model: str


@dataclass(frozen=True)
class ModelCall:
    """A call that was admitted, or asks; `most` is what it may use."""

    id: str
    key: str
    live: bool
    plan: str
    prepaid: bool
    model: str
    at: datetime
    most: Amounts

    @property
    def place(self) -> Place:
        return Place(month_of(self.at), self.plan, self.model)


@dataclass(frozen=True)
class ModelHold:
    """What a call has set aside: `frozen_at` is how far the account was, and `budgets` those that hold a part."""

    call: ModelCall
    process: str
    frozen_at: Amounts
    frozen: int
    budgets: frozenset[str]


@dataclass
class ModelGrant:
    id: str
    paid: bool
    amount: int
    left: int
    priority: int
    expires_at: datetime
    refunded: int = 0
    expired: int = 0

    def valid(self, at: datetime) -> bool:
        return at < self.expires_at


@dataclass
class ModelBudget:
    """`seen` is what counts for good, by the start of its window."""

    id: str
    key: str | None
    money: bool
    window: str
    limit: int
    hard: bool = True
    seen: dict[datetime, int] = field(default_factory=dict)

    def counts(self, call: ModelCall) -> bool:
        if self.key is None:
            return call.live
        return self.key == call.key and (call.live or not self.money)

    def window_at(self, at: datetime) -> datetime:
        return window_of(self.window, at)

    @property
    def holds_by_call(self) -> bool:
        """Whether it holds what each call froze; else, money of an account, what all of them come to together."""
        return self.key is not None or not self.money or self.window == "day"


@dataclass
class GateModel:
    """One account: everything it has used, its running calls' holds, its credit and its budgets."""

    used: dict[str, tuple[ModelCall, Amounts]] = field(default_factory=dict)
    holds: dict[str, ModelHold] = field(default_factory=dict)
    grants: list[ModelGrant] = field(default_factory=list)
    budgets: dict[str, ModelBudget] = field(default_factory=dict)

    def settled(self, place: Place) -> Amounts:
        total: Amounts = (0, 0, 0)
        for call, amounts in self.used.values():
            if call.live and call.place == place:
                total = plus(total, amounts)
        return total

    def held(self, place: Place) -> Amounts:
        total: Amounts = (0, 0, 0)
        for hold in self.holds.values():
            if hold.call.live and hold.call.place == place:
                total = plus(total, hold.call.most)
        return total

    def places(self) -> set[Place]:
        calls = [call for call, _ in self.used.values()] + [hold.call for hold in self.holds.values()]
        return {call.place for call in calls if call.live}

    def held_nanos(self, *, prepaid_only: bool) -> int:
        """Return what the running calls come to if all of them succeed."""
        prepaid = {hold.call.plan for hold in self.holds.values() if hold.call.prepaid}
        total = 0
        for place in self.places():
            if place.plan in prepaid or not prepaid_only:
                settled = self.settled(place)
                total += cost_of(place.model, plus(settled, self.held(place))) - cost_of(place.model, settled)
        return total

    def add(self, budget: ModelBudget) -> None:
        """Set a budget anew: it holds its part of the calls that run, as if it had always been there."""
        self.budgets[budget.id] = budget
        if budget.holds_by_call:
            for hold in list(self.holds.values()):
                if budget.counts(hold.call):
                    self.holds[hold.call.id] = replace(hold, budgets=hold.budgets | {budget.id})

    def held_of(self, budget: ModelBudget, window: datetime) -> int:
        if not budget.holds_by_call:
            return self.held_nanos(prepaid_only=False)
        return sum(
            hold.frozen if budget.money else hold.call.most[UNITS]
            for hold in self.holds.values()
            if budget.id in hold.budgets and window_of(budget.window, hold.call.at) == window
        )

    def refusals(self, call: ModelCall) -> set[str]:
        """Return every reason for which the call must not pass; none lets it pass."""
        reached = plus(self.settled(call.place), self.held(call.place))
        nanos = cost_of(call.model, plus(reached, call.most)) - cost_of(call.model, reached) if call.live else 0
        reasons = set()
        if call.prepaid and nanos:
            left = sum(grant.left for grant in self.grants if grant.valid(call.at))
            if self.held_nanos(prepaid_only=True) + nanos > left:
                reasons.add("insufficient_balance")
        for budget in self.budgets.values():
            asked = nanos if budget.money else call.most[UNITS]
            window = window_of(budget.window, call.at)
            total = budget.seen.get(window, 0) + self.held_of(budget, window) + asked
            if budget.hard and budget.counts(call) and asked and total > budget.limit:
                reasons.add("budget_exceeded" if budget.money else "quota_exceeded")
        return reasons

    def hold(self, call: ModelCall, process: str) -> ModelHold:
        reached = plus(self.settled(call.place), self.held(call.place))
        nanos = cost_of(call.model, plus(reached, call.most)) - cost_of(call.model, reached) if call.live else 0
        budgets = frozenset(b.id for b in self.budgets.values() if b.counts(call) and b.holds_by_call)
        hold = self.holds[call.id] = ModelHold(call, process, reached, nanos, budgets)
        return hold

    def settle(self, hold: ModelHold, amounts: Amounts) -> int:
        """Turn a hold into use; return what it added to the account's charges."""
        call = hold.call
        before = self.settled(call.place)
        del self.holds[call.id]
        self.used[call.id] = call, amounts
        nanos = cost_of(call.model, plus(before, amounts)) - cost_of(call.model, before) if call.live else 0
        frozen = cost_of(call.model, plus(hold.frozen_at, amounts)) - cost_of(call.model, hold.frozen_at)
        for budget in self.budgets.values():
            if budget.counts(call):
                money = (frozen if budget.holds_by_call else nanos) if call.live else 0
                window = window_of(budget.window, call.at)
                budget.seen[window] = budget.seen.get(window, 0) + (money if budget.money else amounts[UNITS])
        if call.prepaid:
            self._draw(nanos, call.at)
        return nanos

    def _draw(self, nanos: int, at: datetime) -> None:
        """Draw what was valid at the call's admission first; of that the lowest priority, and what expires soonest."""
        order = sorted(
            self.grants, key=lambda g: (not g.valid(at), g.priority, g.expires_at, g.paid, self.grants.index(g))
        )
        for grant in order:
            taken = min(grant.left, nanos)
            grant.left -= taken
            nanos -= taken
        assert nanos == 0, "a call that was admitted cannot be paid"

    def available(self, now: datetime) -> int:
        return sum(grant.left for grant in self.grants if grant.valid(now)) - self.held_nanos(prepaid_only=True)

    def expire(self, now: datetime) -> int:
        """Write off what has expired, the oldest first, down to what running calls may need; return how many grants."""
        needed, gone = self.held_nanos(prepaid_only=True), 0
        for grant in sorted((g for g in self.grants if not g.valid(now)), key=lambda g: g.expires_at, reverse=True):
            kept = min(grant.left, needed)
            needed -= kept
            gone += grant.left > kept
            grant.expired, grant.left = grant.expired + grant.left - kept, kept
        return gone

    def so_far(self, budget: ModelBudget, now: datetime) -> int:
        """Return what a budget that is set now has seen of its window already."""
        start = window_of(budget.window, now)
        inside = [(call, used) for call, used in self.used.values() if window_of(budget.window, call.at) == start]
        if not budget.money:
            return sum(used[UNITS] for call, used in inside if budget.counts(call))
        return sum(self._spent(budget, place, start) for place in {call.place for call, _ in inside if call.live})

    def _spent(self, budget: ModelBudget, place: Place, start: datetime) -> int:
        """Return a budget's share in what a place has cost since an instant: by quantity, rounded up by meter."""
        before = _sum(used for call, used in self._at(place) if call.at < start)
        since = _sum(used for call, used in self._at(place) if call.at >= start)
        own = _sum(used for call, used in self._at(place) if call.at >= start and budget.key in (None, call.key))
        total = 0
        for meter in PRICES[place.model]:
            one = [(before[m] if m == meter else 0, since[m] if m == meter else 0) for m in range(3)]
            low, high = (one[0][0], one[1][0], one[2][0]), (sum(one[0]), sum(one[1]), sum(one[2]))
            if own[meter]:
                total += -(-(cost_of(place.model, high) - cost_of(place.model, low)) * own[meter] // since[meter])
        return total

    def _at(self, place: Place) -> Iterator[tuple[ModelCall, Amounts]]:
        return ((call, used) for call, used in self.used.values() if call.live and call.place == place)


def _sum(amounts: Iterator[Amounts]) -> Amounts:
    total: Amounts = (0, 0, 0)
    for each in amounts:
        total = plus(total, each)
    return total
