"""The checks of usage: the rollup, what failures may not have, and what each call cost."""

from collections.abc import Mapping
from datetime import datetime

from app.database import Session
from app.errors import AppError
from app.metering.meter import Quantities
from app.pricing.plan import PlanVersion
from app.pricing.store import find_versions
from app.rating.call_charge import charge_of_call
from app.self_audit import usage_store
from app.self_audit.report import Tally
from app.self_audit.usage_store import SUMS, AmountGroup


def rollup_is_events(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Compare each row of the rollup, by its whole key, with the sums of its events."""
    tally.compared = usage_store.count_rollup(session)
    for each in usage_store.rollup_differences(session):
        account_id, start, key_id, _, model, version, plan_version_id, outcome = each.key
        differing = [place for place in range(len(SUMS)) if each.events[place] != each.rollup[place]]
        tally.differ(
            f"{account_id}, {key_id}, {model} v{version}, {plan_version_id}, {outcome}, {start:%Y-%m-%dT%H:%M}Z",
            _sums(each.events, differing),
            _sums(each.rollup, differing),
        )


def failures_are_free(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Look for failed calls with a billable quantity or an amount."""
    tally.compared = usage_store.count_failed(session)
    for subject in usage_store.failed_with_quantity(session):
        tally.differ(subject, "nothing billable", "a quantity or an amount")


def amounts_are_rated(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Rate each success once more under its plan version, and compare it with the amount that it was told."""
    versions = find_versions(session, usage_store.plan_versions_of_usage(session))
    for group in usage_store.amount_groups(session):
        tally.compared += group.calls
        expected = _amount_of(group, versions)
        if expected != group.amount_nanos:
            tally.differ(f"{group.first_id} and {group.calls - 1} more like it", expected, group.amount_nanos)


def usage_has_payers(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Look for usage of accounts, or pinned to plan versions, that do not exist."""
    version_ids = usage_store.plan_versions_of_usage(session)
    known = find_versions(session, version_ids)
    for version_id in version_ids:
        tally.compare(version_id, expected=True, found=version_id in known)
    for account_id in usage_store.accounts_of_nobody(session):
        tally.differ(account_id, "an account", "none of that id")


def _amount_of(group: AmountGroup, versions: Mapping[str, PlanVersion]) -> int | str | None:
    """Return the nanos that such a call costs, None where only its period tells, or why it cannot be rated."""
    if not group.live:
        return 0
    version = versions.get(group.plan_version_id)
    prices = version.prices_for(group.model) if version else ()
    if not prices:
        return f"a price of {group.model} in {group.plan_version_id}"
    used = Quantities(requests=1, units=group.units, compute_ms=group.compute_ms, results=group.results)
    try:
        return charge_of_call(prices, used, Quantities()).amount_nanos
    except AppError as error:
        return str(error)


def _sums(values: tuple[int, ...], places: list[int]) -> str:
    return ", ".join(f"{SUMS[place]} {values[place]}" for place in places)
