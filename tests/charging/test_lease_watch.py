"""Who is dead: whose lease stood still while we looked on. No wall clock has a say, and our own sleep is no proof."""

import os
import subprocess
import sys

from hypothesis import given
from hypothesis import strategies as st

from app.charging.lease_watch import Lease, LeaseWatch
from app.charging.local_process import process_lives, this_host

LEASE_S = 6
HERE, THERE = "here", "there"


def watch(*, gone: frozenset[int] = frozenset()) -> LeaseWatch:
    return LeaseWatch(host=HERE, lease_s=LEASE_S, lives=lambda pid: pid not in gone)


def lease(renewals: int = 1, *, host: str = THERE, pid: int = 7, name: str = "proc_1") -> Lease:
    return Lease(name, renewals, host, pid)


def test_a_lease_is_dead_once_it_has_stood_still_for_its_time() -> None:
    watching = watch()
    verdicts = [watching.dead([lease()], now_s) for now_s in range(8)]
    assert verdicts == [[]] * LEASE_S + [[lease()]] * 2


def test_a_renewal_begins_the_time_anew() -> None:
    watching = watch()
    assert [watching.dead([lease(1 + now_s // 5)], now_s) for now_s in range(30)] == [[]] * 30


def test_a_lease_whose_number_fell_was_taken_anew_and_lives() -> None:
    watching = watch()
    assert [watching.dead([lease(9 if now_s < 4 else 1)], now_s) for now_s in range(9)] == [[]] * 9


def test_only_the_dead_are_named() -> None:
    watching = watch()
    for now_s in range(7):
        living = lease(now_s, name="proc_2")
        dead = watching.dead([lease(), living], now_s)
    assert dead == [lease()]


def test_a_watcher_that_slept_itself_has_seen_nobody_stand_still() -> None:
    watching = watch()
    assert watching.dead([lease()], 0) == []
    assert watching.dead([lease()], 3600) == []  # both were stopped, and the other has not had its turn yet
    assert watching.dead([lease(2)], 3601) == []


def test_a_clock_that_went_backwards_is_no_time_either() -> None:
    watching = watch()
    assert [watching.dead([lease()], now_s) for now_s in (100, 0, 1, 2, 3, 4, 5)] == [[]] * 7
    assert watching.dead([lease()], 6) == [lease()]


def test_a_process_of_this_host_that_is_gone_is_dead_at_once_and_one_of_another_host_is_not() -> None:
    watching = watch(gone=frozenset({7}))
    assert watching.dead([lease(host=HERE), lease(host=THERE, name="proc_2")], 0) == [lease(host=HERE)]


def test_a_lease_that_went_and_came_again_starts_anew() -> None:
    watching = watch()
    for now_s in range(5):
        watching.dead([lease()], now_s)
    assert watching.dead([], 5) == []
    assert [watching.dead([lease()], now_s) for now_s in range(6, 12)] == [[]] * LEASE_S


@given(st.lists(st.floats(0, 10), min_size=1, max_size=40), st.integers(1, 60))
def test_nobody_who_is_seen_to_renew_at_each_look_is_ever_dead(steps: list[float], lease_s: int) -> None:
    watching, now_s = LeaseWatch(host=HERE, lease_s=lease_s), 0.0
    for renewals, step in enumerate(steps):
        now_s += step
        assert watching.dead([lease(renewals)], now_s) == []


@given(st.lists(st.floats(0, 2), min_size=1, max_size=60), st.integers(1, 60))
def test_the_dead_are_found_as_soon_as_the_looks_span_the_time(steps: list[float], lease_s: int) -> None:
    watching, now_s = LeaseWatch(host=HERE, lease_s=lease_s), 0.0
    watching.dead([lease()], now_s)
    for step in steps:
        before_s, now_s = now_s, now_s + step
        is_dead = bool(watching.dead([lease()], now_s))
        if now_s >= lease_s + 1e-6:
            assert is_dead
        if before_s < now_s < lease_s - 1e-6:
            assert not is_dead


def test_this_process_lives_and_one_that_has_ended_does_not() -> None:
    assert process_lives(os.getpid())
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    assert not process_lives(ended.pid)


def test_this_host_is_the_same_for_every_process_of_it() -> None:
    command = [sys.executable, "-c", "from app.charging.local_process import this_host; print(this_host())"]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip() == this_host()
