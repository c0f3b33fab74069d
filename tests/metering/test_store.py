"""Events and their rollup: whatever is written, in whatever groups and however often, the sums are the events'."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import astuple, replace
from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select
from sqlalchemy.event import listen

from app.database import Database
from app.ids import new_id
from app.metering.meter import Quantities
from app.metering.store import (
    add_to_rollup,
    compute_by_model,
    extend_device_interval,
    insert_batches,
    insert_events,
    quantities,
)
from app.metering.tables import BatchRow, DeviceIntervalRow, UsageEventRow, UsageRollupRow
from app.metering.usage_event import BatchRecord, Outcome, UsageEvent, bucket_start, compute_ms
from app.period import Period
from tests.builders import NOON, make_batch, make_event, make_interval, record_usage
from tests.database_examples import ON_DATABASE

HOUR = timedelta(hours=1)
DAY = Period(NOON - 12 * HOUR, NOON + 12 * HOUR)
EVENTS = st.builds(
    lambda failed, seconds, units, **fields: make_event(
        occurred_at=NOON + timedelta(seconds=seconds),
        outcome=Outcome.FAILED if failed else Outcome.SUCCEEDED,
        units=0 if failed else units,
        **fields,
    ),
    failed=st.booleans(),
    seconds=st.integers(-1800, 1800),
    units=st.integers(0, 10**12),
    key_id=st.sampled_from(["key_1", "key_2"]),
    live=st.booleans(),
    model=st.sampled_from(["linear", "vgg16"]),
    version=st.integers(1, 2),
    plan_version_id=st.sampled_from(["plv_1", "plv_2"]),
    compute_us=st.integers(0, 10**7),
    queue_us=st.integers(0, 10**7),
    input_bytes=st.integers(0, 10**9),
    output_bytes=st.integers(0, 10**9),
)


def write(database: Database, events: Sequence[UsageEvent]) -> None:
    """Write a group as the recorder does: only what was not there yet is counted."""
    with database.transaction() as session:
        fresh = insert_events(session, events, NOON)
        add_to_rollup(session, [event for event in events if event.id in fresh])


def stored_events(database: Database, account_id: str) -> list[UsageEvent]:
    with database.reading() as session:
        rows = session.scalars(
            select(UsageEventRow).where(UsageEventRow.account_id == account_id).order_by(UsageEventRow.id)
        )
        names = UsageEvent.__slots__
        return [
            UsageEvent(**{name: getattr(row, name) for name in names} | {"outcome": Outcome(row.outcome)})
            for row in rows
        ]


def sums_of_events(database: Database, account_id: str) -> dict[tuple[object, ...], list[int]]:
    """Sum the stored events by the rollup's key, with nothing but this loop."""
    sums: dict[tuple[object, ...], list[int]] = defaultdict(lambda: [0] * 9)
    for e in stored_events(database, account_id):
        key = (bucket_start(e.occurred_at), e.key_id, e.live, e.model, e.version, e.plan_version_id, e.outcome.value)
        billed = e.outcome is Outcome.SUCCEEDED
        counted = (1, int(billed), e.units, e.results, compute_ms(e.compute_us) if billed else 0)
        measured = (e.compute_us, e.queue_us, e.input_bytes, e.output_bytes)
        sums[key] = [total + value for total, value in zip(sums[key], counted + measured, strict=True)]
    return dict(sums)


def rollup(database: Database, account_id: str) -> dict[tuple[object, ...], list[int]]:
    with database.reading() as session:
        rows = session.scalars(select(UsageRollupRow).where(UsageRollupRow.account_id == account_id)).all()
        return {
            (r.bucket_start, r.key_id, r.live, r.model, r.version, r.plan_version_id, r.outcome): [
                *(r.calls, r.requests, r.units, r.results, r.compute_ms),
                *(r.compute_us, r.queue_us, r.input_bytes, r.output_bytes),
            ]
            for r in rows
        }


@ON_DATABASE
@given(data=st.data())
def test_the_rollup_is_the_sum_of_the_events_in_any_grouping_with_any_repeats(
    database: Database, data: st.DataObject
) -> None:
    account_id = new_id("acct")
    events = data.draw(
        st.lists(EVENTS.map(lambda event: replace(event, account_id=account_id)), min_size=1, max_size=25)
    )
    while_waiting = list(events)
    groups = []
    while while_waiting:
        size = data.draw(st.integers(1, len(while_waiting)))
        groups.append(while_waiting[:size])
        while_waiting = while_waiting[size:]
    repeats = data.draw(st.lists(st.sampled_from(groups), max_size=3))
    for group in [*groups, *repeats, events]:
        write(database, group)

    assert stored_events(database, account_id) == sorted(events, key=lambda event: event.id)
    assert rollup(database, account_id) == sums_of_events(database, account_id)


def test_an_event_is_stored_as_it_was_and_never_changed(database: Database) -> None:
    event = make_event(units=3, results=2, amount_nanos=10**18, batch_id="bat_1", delivered=False)
    write(database, [event])
    write(database, [make_event(id=event.id, units=9)])
    assert stored_events(database, event.account_id) == [event]
    assert rollup(database, event.account_id) == sums_of_events(database, event.account_id)


def test_only_the_ids_that_were_not_there_come_back(database: Database) -> None:
    old, new = make_event(), make_event()
    write(database, [old])
    for fresh in ({new.id}, set()):
        with database.transaction() as session:
            assert insert_events(session, [old, new], NOON) == fresh


def test_an_event_that_stands_in_a_group_twice_is_stored_once_and_the_first_one_counts(database: Database) -> None:
    first = make_event(units=3)
    with database.transaction() as session:
        assert insert_events(session, [first, replace(first, units=9)], NOON) == {first.id}
    assert stored_events(database, first.account_id) == [first]


def test_whatever_stands_in_an_event_is_stored_to_the_letter_the_unit_and_the_microsecond(database: Database) -> None:
    event = make_event(
        model='a"b\\c{}%s:x \u4e2d\U0001f600\n',
        version=2**31 - 1,
        units=2**63 - 1,
        amount_nanos=10**18,
        compute_us=2**53 + 1,
        occurred_at=NOON + timedelta(microseconds=1),
    )
    write(database, [event])
    assert stored_events(database, event.account_id) == [event]
    assert rollup(database, event.account_id) == sums_of_events(database, event.account_id)


def test_a_large_group_takes_no_more_statements_than_a_small_one(database: Database) -> None:
    asked: list[str] = []
    listen(database.engine, "before_cursor_execute", lambda *told: asked.append(told[2]))
    counts = []
    for size in (2, 300):
        asked.clear()
        write(database, [make_event(key_id=f"key_{number % 40}") for number in range(size)])
        counts.append(len(asked))
    assert counts[0] == counts[1] <= 4  # SQLite has a BEGIN among them, and looks up what is known first


def test_billable_quantities_exclude_test_keys_failures_other_accounts_and_other_periods(database: Database) -> None:
    record_usage(
        database,
        make_event(units=3, compute_us=1_001, results=1),
        make_event(units=4, compute_us=1_001, version=2, key_id="key_2"),
        make_event(units=5, model="vgg16"),
        make_event(units=6, plan_version_id="plv_2"),
        make_event(units=100, live=False),
        make_event(outcome=Outcome.FAILED, compute_us=9_999),
        make_event(units=200, account_id="acct_2"),
        make_event(units=300, occurred_at=DAY.start - timedelta(microseconds=1)),
        make_event(units=400, occurred_at=DAY.end),
        make_event(units=7, occurred_at=DAY.start, model="first"),
        make_event(units=8, occurred_at=DAY.end - timedelta(microseconds=1), model="last"),
    )
    with database.reading() as session:
        totals = quantities(session, "acct_1", DAY)
        # each call's device time is rounded up on its own: 2 + 2 ms, not ceil(2.002)
        assert [(each.plan_version_id, each.model, each.quantities) for each in totals] == [
            ("plv_1", "first", Quantities(1, 7, 2, 0)),
            ("plv_1", "last", Quantities(1, 8, 2, 0)),
            ("plv_1", "linear", Quantities(2, 7, 4, 1)),
            ("plv_1", "vgg16", Quantities(1, 5, 2, 0)),
            ("plv_2", "linear", Quantities(1, 6, 2, 0)),
        ]
        assert quantities(session, "acct_unknown", DAY) == []


def test_the_cost_of_a_model_is_the_device_time_of_all_its_batches_over_its_successes(database: Database) -> None:
    record_usage(
        database,
        make_event(units=3, compute_us=1_000, queue_us=5),
        make_event(units=2, compute_us=500, queue_us=6, live=False, account_id="acct_2"),
        make_event(outcome=Outcome.FAILED, compute_us=0, queue_us=7),
        make_event(model="vgg16", compute_us=9_000),
        make_event(occurred_at=NOON - HOUR, compute_us=9_000),
    )
    batches = [
        replace(make_batch(id="bat_good"), compute_us=1_500),
        replace(make_batch(id="bat_failed"), compute_us=40),
        replace(make_batch(id="bat_other"), model="vgg16"),
        make_batch(id="bat_before", started_at=NOON - HOUR),
    ]
    with database.transaction() as session:
        insert_batches(session, batches)
    with database.reading() as session:
        assert astuple(compute_by_model(session, "linear", NOON + timedelta(minutes=14))) == (2, 5, 1_540, 11)
        assert astuple(compute_by_model(session, "unknown", NOON)) == (0, 0, 0, 0)


def test_a_batch_is_inserted_once(database: Database) -> None:
    batch = make_batch()
    for _ in range(2):
        with database.transaction() as session:
            insert_batches(session, [batch, make_batch(id="bat_other", items=4)])
            insert_batches(session, [])
    with database.reading() as session:
        rows = session.scalars(select(BatchRow).order_by(BatchRow.items))
        assert [BatchRecord(**{name: getattr(row, name) for name in BatchRecord.__slots__}) for row in rows] == [
            batch,
            make_batch(id="bat_other", items=4),
        ]


def test_the_end_of_a_device_interval_moves_on_and_never_back(database: Database) -> None:
    ends = []
    for seconds in (5, 10, 7, 10, 15):
        with database.transaction() as session:
            extend_device_interval(session, make_interval(lasting=timedelta(seconds=seconds)))
            ends.append(session.scalars(select(DeviceIntervalRow.ended_at)).one())
    assert [(end - NOON).seconds for end in ends] == [5, 10, 10, 10, 15]
