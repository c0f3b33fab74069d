"""How often refused calls may look for an earlier answer: a number a minute and account, more where it is known."""

from datetime import timedelta

from app.charging.limits.second_looks import LOOKS_FOR_KNOWN_PER_MINUTE_MAX, LOOKS_PER_MINUTE_MAX, SecondLooks
from tests.builders import NOON


def looks(second: SecondLooks, key: str, times: int, *, account: str = "acct_1") -> int:
    return sum(second.may_look(account, key, NOON) for _ in range(times))


def test_an_account_has_its_looks_a_minute_whatever_others_do() -> None:
    second = SecondLooks()
    assert looks(second, "one", 1000) == LOOKS_PER_MINUTE_MAX
    assert looks(second, "two", 1000) == 0
    assert looks(second, "one", 5, account="acct_2") == 5
    assert second.may_look("acct_1", "one", NOON + timedelta(seconds=60))


def test_what_was_answered_here_is_found_behind_a_flood_of_what_was_not() -> None:
    second = SecondLooks()
    second.answered("acct_1", "mine")
    assert looks(second, "flood", 1000) == LOOKS_PER_MINUTE_MAX
    assert looks(second, "mine", 1000) == LOOKS_FOR_KNOWN_PER_MINUTE_MAX
    assert looks(second, "mine", 1000, account="acct_2") == LOOKS_PER_MINUTE_MAX  # that key is another account's


def test_the_keys_of_ten_thousand_calls_are_remembered_and_no_more() -> None:
    second = SecondLooks()
    for number in range(10_001):
        second.answered("acct_1", str(number))
    looks(second, "flood", 1000)
    assert not second.may_look("acct_1", "0", NOON)
    assert second.may_look("acct_1", "1", NOON)
