"""The batch queue: in order, nothing lost, nothing twice, within its bounds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.inference.batch_queue import BatchQueue, Entry, EntryState
from app.inference.engine import Overloaded

ITEMS_MAX, WAITING_MAX = 8, 40
entries = st.lists(
    st.builds(Entry, items=st.integers(1, 12), submitted_ns=st.just(0), deadline_ns=st.integers(1, 20)), max_size=30
)


def queue_of(waiting: list[Entry]) -> tuple[BatchQueue[Entry], list[Entry]]:
    """Return a queue and those that it admitted."""
    queue: BatchQueue[Entry] = BatchQueue(items_max=ITEMS_MAX, waiting_items_max=WAITING_MAX)
    admitted = []
    for entry in waiting:
        try:
            queue.offer(entry)
            admitted.append(entry)
        except Overloaded:
            continue
    return queue, admitted


@given(entries, st.sets(st.integers(0, 29)), st.integers(0, 20))
def test_every_entry_leaves_once_in_order_and_in_batches_that_fit(
    waiting: list[Entry], cancelled: set[int], now_ns: int
) -> None:
    queue, admitted = queue_of(waiting)
    gone = [entry for place, entry in enumerate(admitted) if place in cancelled and queue.withdraw(entry)]
    batches, expired = [], []
    while queue.oldest_ns() is not None:
        take = queue.take(now_ns)
        batches.append(take.batch)
        expired += take.expired
    assert queue.waiting_items == 0
    started = [entry for batch in batches for entry in batch]
    live = [entry for entry in admitted if entry not in gone]
    assert started == [entry for entry in live if entry.deadline_ns > now_ns]
    assert expired == [entry for entry in live if entry.deadline_ns <= now_ns]
    assert all(sum(entry.items for entry in batch) <= ITEMS_MAX or len(batch) == 1 for batch in batches)
    assert {entry.state for entry in started} <= {EntryState.STARTED}
    assert not any(queue.withdraw(entry) for entry in admitted)


@given(entries)
def test_no_more_inputs_wait_than_may(waiting: list[Entry]) -> None:
    queue, admitted = queue_of(waiting)
    assert queue.waiting_items == sum(entry.items for entry in admitted) <= WAITING_MAX


@given(entries)
def test_a_batch_is_as_full_as_the_order_allows(waiting: list[Entry]) -> None:
    queue, admitted = queue_of(waiting)
    batch = queue.take(0).batch
    if len(batch) < len(admitted):
        assert sum(entry.items for entry in [*batch, admitted[len(batch)]]) > ITEMS_MAX


def test_an_empty_queue_takes_a_call_of_any_size_and_a_waiting_one_does_not() -> None:
    queue: BatchQueue[Entry] = BatchQueue(items_max=4, waiting_items_max=4)
    queue.offer(Entry(9, 0, 1))
    with pytest.raises(Overloaded):
        queue.offer(Entry(1, 0, 1))


def test_whoever_gives_up_makes_room_at_once() -> None:
    queue: BatchQueue[Entry] = BatchQueue(items_max=4, waiting_items_max=4)
    first, second = Entry(2, 1, 9), Entry(2, 2, 9)
    queue.offer(first)
    queue.offer(second)
    assert queue.withdraw(first)
    assert queue.oldest_ns() == 2
    queue.offer(Entry(2, 3, 9))
    assert [entry.submitted_ns for entry in queue.take(0).batch] == [2, 3]


def test_what_waits_can_be_drained() -> None:
    queue, admitted = queue_of([Entry(1, 0, 1), Entry(2, 0, 1)])
    assert queue.drain() == admitted
    assert queue.waiting_items == 0
