"""The cache of facts: bounded, emptied as a whole, and never filled with what a removal has overtaken."""

from app.fact_cache import FactCache


def test_a_fact_is_loaded_once() -> None:
    cache: FactCache[str, int] = FactCache(10)
    loads = iter(range(3))
    assert cache.get("a") is None
    assert cache.load("a", lambda: next(loads)) == 0
    assert cache.get("a") == 0


def test_clearing_forgets_everything() -> None:
    cache: FactCache[str, int] = FactCache(10)
    for name in "abc":
        cache.load(name, lambda: 1)
    cache.clear()
    assert [cache.get(name) for name in "abc"] == [None] * 3


def test_a_load_that_a_clearing_overtakes_is_returned_and_not_kept() -> None:
    cache: FactCache[str, str] = FactCache(10)

    def slow() -> str:
        cache.clear()
        return "before the revocation"

    assert cache.load("key", slow) == "before the revocation"
    assert cache.get("key") is None
    assert cache.load("key", lambda: "after it") == "after it"
    assert cache.get("key") == "after it"


def test_an_overtaken_load_neither_keeps_nor_empties_anything_in_a_full_cache() -> None:
    cache: FactCache[str, str] = FactCache(1)
    cache.load("old", lambda: "old")

    def slow() -> str:
        cache.clear()
        cache.load("new", lambda: "new")
        return "stale"

    cache.load("slow", slow)
    assert (cache.get("old"), cache.get("slow"), cache.get("new")) == (None, None, "new")


def test_a_full_cache_starts_afresh_and_never_grows_beyond_its_bound() -> None:
    cache: FactCache[int, int] = FactCache(3)
    for number in range(100):
        cache.load(number, lambda number=number: number)  # type: ignore[misc]  # mypy cannot infer a lambda's default
        assert cache.get(number) == number
        assert sum(cache.get(each) is not None for each in range(100)) <= 3


def test_a_failed_load_leaves_nothing_behind() -> None:
    cache: FactCache[str, float] = FactCache(3)
    try:
        cache.load("a", lambda: 1 / 0)
    except ZeroDivisionError:
        assert cache.get("a") is None
