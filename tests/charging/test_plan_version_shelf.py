"""The shelf of plan versions: whoever asks gets what he asked for, whatever other threads take and empty meanwhile."""

import random
import sys
from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from app.charging.gate_book import PlanVersionShelf
from app.database import Database
from app.errors import InvariantViolation

NAMES = ["one", "two", "three", "four", "five"]


@pytest.fixture
def shelf(monkeypatch: pytest.MonkeyPatch) -> Iterator[PlanVersionShelf]:
    """A shelf that is emptied at two versions, below a store that knows five; threads take turns all the time."""

    def find(_session: object, version_ids: Iterable[str]) -> dict[str, str]:
        return {each: each for each in version_ids if each in NAMES}

    monkeypatch.setattr("app.charging.gate_book._VERSIONS_MAX", 2)
    monkeypatch.setattr("app.charging.gate_book.find_versions", find)
    interval_s = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield PlanVersionShelf()
    sys.setswitchinterval(interval_s)


def test_every_thread_gets_what_it_asks_for_while_others_empty_the_shelf(shelf: PlanVersionShelf) -> None:
    session: Any = None

    def ask(seed: int) -> int:
        chance = random.Random(seed)
        missed = 0
        for _ in range(5_000):
            wanted = set(chance.sample(NAMES, 2))
            missed += not wanted <= shelf.versions(session, wanted).keys()
        return missed

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, range(4))) == [0] * 4


def test_what_somebody_was_given_stays_as_it_was(shelf: PlanVersionShelf) -> None:
    session: Any = None
    given = shelf.versions(session, ["one"])
    assert set(shelf.versions(session, ["one", "two", "three"])) == {"one", "two", "three"}
    assert set(shelf.versions(session, ["one", "four"])) == {"one", "four"}
    assert set(given) == {"one"}


def test_a_version_that_does_not_exist_is_a_bug_and_spoils_nothing(database: Database) -> None:
    shelf = PlanVersionShelf()
    for _ in range(2):
        with database.reading() as session, pytest.raises(InvariantViolation):
            shelf.versions(session, ["plv_none"])
