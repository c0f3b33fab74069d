"""How much of a budget's window is used when it begins to count: what is recorded by then, read from the rollup."""

from collections.abc import Collection, Iterator, Mapping
from datetime import datetime

from app.accounts.account import Account
from app.accounts.budget import Budget, Measure, Window, window_at
from app.accounts.store import keys_of_budget
from app.charging.gate_account import COUNTED_MAX
from app.charging.spent_so_far import UsedPart, spent_nanos
from app.database import Session
from app.metering import store as metering_store
from app.metering.meter import Quantities
from app.period import Period
from app.pricing.store import find_versions

_PartKey = tuple[str, str]


def used_so_far(session: Session, account: Account, budget: Budget, now: datetime) -> int:
    """Return the nanos or units that count against the budget in its window of now.

    The caller holds the account's lock, which the recorder shares: nothing is booked meanwhile.
    """
    window = budget.window_at(now, account)
    key_ids = keys_of_budget(session, account.id, budget.key_id) if budget.key_id else None
    if budget.measure is Measure.MONEY:
        return min(spent_nanos(_parts(session, account, window, now, key_ids)), COUNTED_MAX)
    live = True if key_ids is None else None  # a test key's quota counts its test calls
    totals = metering_store.quantities(session, account.id, window, key_ids=key_ids, live=live)
    return min(sum(total.quantities.units for total in totals), COUNTED_MAX)


def _parts(
    session: Session, account: Account, window: Period, now: datetime, key_ids: Collection[str] | None
) -> Iterator[UsedPart]:
    """Yield what was used in the window, by billing period, plan version and model: what tiers are counted by."""
    for period in _billing_periods(account, window, now):
        inside = Period(max(period.start, window.start), min(period.end, window.end))
        used = _by_part(session, account, inside, None)
        own = used if key_ids is None else _by_part(session, account, inside, key_ids)
        earlier = Period(period.start, inside.start) if period.start < inside.start else None
        before = _by_part(session, account, earlier, None) if earlier and own else {}
        versions = find_versions(session, {version_id for version_id, _ in own})
        for key in own:
            prices = versions[key[0]].prices_for(key[1])
            yield UsedPart(prices, before.get(key, Quantities()), used[key], own[key])


def _billing_periods(account: Account, window: Period, now: datetime) -> Iterator[Period]:
    """Yield those of the window up to that of now, and the next, which another host's clock may have reached."""
    period = window_at(Window.MONTH, max(window.start, account.created_at), account)
    while period.start < window.end:
        yield period
        if period.start > now:
            return
        period = window_at(Window.MONTH, period.end, account)


def _by_part(
    session: Session, account: Account, period: Period, key_ids: Collection[str] | None
) -> Mapping[_PartKey, Quantities]:
    totals = metering_store.quantities(session, account.id, period, key_ids=key_ids)
    return {(total.plan_version_id, total.model): total.quantities for total in totals}
