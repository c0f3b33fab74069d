"""Tier positions: how far an account is in its period, at most 30 s old."""

from datetime import UTC, datetime, timedelta

import pytest

from app.charging.tier_positions import PositionKey, TierPositions
from app.clock import FrozenClock
from app.database import Database
from app.metering.meter import Quantities
from app.metering.usage_event import Outcome
from tests.builders import make_account, make_event, make_quantities, open_account, record_usage

KEY = PositionKey("acct_1", "plv_1", "linear")
SECOND = timedelta(seconds=1)
ONE_CALL = make_quantities(requests=1, units=2)


@pytest.fixture
def positions(database: Database, clock: FrozenClock) -> TierPositions:
    return TierPositions(database, clock)


def test_a_position_counts_the_periods_own_billable_use_and_nothing_else(
    database: Database, positions: TierPositions
) -> None:
    open_account(database, make_account(zone="Asia/Kathmandu", anchor_day=10))
    start = datetime(2026, 3, 9, 18, 15, tzinfo=UTC)  # the tenth of March, local midnight
    record_usage(
        database,
        make_event(occurred_at=start, units=3),
        make_event(units=4),
        make_event(occurred_at=start - timedelta(microseconds=1), units=100),
        make_event(units=100, live=False),
        make_event(outcome=Outcome.FAILED),
        make_event(units=100, model="vgg16"),
        make_event(units=100, plan_version_id="plv_0"),
        make_event(units=100, account_id="acct_2"),
    )
    assert positions.known(KEY) is None
    assert positions.read(KEY) == Quantities(requests=2, units=7, compute_ms=4)
    assert positions.known(KEY) == positions.read(KEY)


def test_what_this_process_has_recorded_counts_at_once_and_the_rest_within_30_seconds(
    database: Database, positions: TierPositions, clock: FrozenClock
) -> None:
    open_account(database)
    positions.add(KEY, ONE_CALL)  # nothing was read yet: nothing to move
    assert positions.read(KEY) == Quantities()
    positions.add(KEY, ONE_CALL)
    positions.add(KEY, ONE_CALL)
    assert positions.known(KEY) == Quantities(requests=2, units=4)

    record_usage(database, make_event(units=50))  # by another process
    clock.advance(30 * SECOND)
    assert positions.known(KEY) == Quantities(requests=2, units=4)
    clock.advance(timedelta(microseconds=1))
    assert positions.known(KEY) is None
    assert positions.read(KEY).units == 50


def test_a_new_period_begins_at_nought_on_the_dot(
    database: Database, positions: TierPositions, clock: FrozenClock
) -> None:
    open_account(database)
    end = datetime(2026, 4, 1, tzinfo=UTC)
    record_usage(database, make_event(units=9))
    clock.move_to(end - timedelta(microseconds=1))
    assert positions.read(KEY).units == 9
    clock.move_to(end)
    assert positions.known(KEY) is None
    assert positions.read(KEY) == Quantities()


def test_an_unknown_account_stands_at_nought_and_is_not_remembered(positions: TierPositions) -> None:
    assert positions.read(KEY) == Quantities()
    assert positions.known(KEY) is None


def test_positions_do_not_grow_without_bound(
    database: Database, positions: TierPositions, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.charging.tier_positions._POSITIONS_MAX", 3)
    open_account(database)
    keys = [PositionKey("acct_1", "plv_1", f"model-{number}") for number in range(10)]
    for key in keys:
        positions.read(key)
        assert positions.known(key) is not None
        assert sum(positions.known(each) is not None for each in keys) <= 3
