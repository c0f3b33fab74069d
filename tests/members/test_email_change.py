"""A new address: asked for with the password, confirmed from its own mailbox, and told to the old one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from typing import Any

import pytest

from app.accounts.account import User
from app.accounts.email_address import EmailInvalid
from app.clock import FrozenClock
from app.errors import AppError
from app.members.email_change import LinkOfSomebodyElse
from app.members.mailed_link import LinkInvalid
from app.members.membership import UserNotFound
from app.members.sign_in import WrongCredentials
from tests.members.people import CLIENT, OTHER_PASSWORD, PASSWORD, People, actor, text_of

OLD, NEW = "ada@example.com", "ada@new.example"


@pytest.fixture
def ada(people: People) -> User:
    return people.join().user


def ask(people: People, user: User, email: str = NEW) -> None:
    people.email_change.request(user.id, email, PASSWORD, by=actor(user), language="en")


def confirm(people: People, user: User, token: str, keep_session: str | None = None) -> User:
    return people.email_change.confirm(token, by=actor(user), keep_session=keep_session)


def test_the_new_address_counts_once_it_is_confirmed(people: People, ada: User) -> None:
    kept, session_token = people.sessions.open(ada, address=CLIENT, agent="")
    _, other_token = people.sessions.open(ada, address=CLIENT, agent="")
    ask(people, ada)
    assert people.sign_in.user(OLD, PASSWORD) == ada
    token = people.token(NEW)
    assert people.email_change.link(token).email == NEW
    moved = confirm(people, ada, token, kept.id)
    assert (moved.id, moved.email) == (ada.id, NEW)
    assert people.sign_in.user(NEW, PASSWORD) == moved
    with pytest.raises(WrongCredentials):
        people.sign_in.user(OLD, PASSWORD)
    with pytest.raises(LinkInvalid):
        confirm(people, ada, token)
    visit = people.sessions.visit(session_token)
    assert visit is not None
    assert visit.token != session_token
    assert people.sessions.visit(other_token) is None
    told = people.mails_to(OLD)[-1]
    assert told["Subject"] == "Your e-mail address was changed"
    assert NEW in text_of(told)
    assert [(entry.action, entry.actor.id) for entry in people.entries() if entry.action.startswith("email.")] == [
        ("email.change_requested", ada.id),
        ("email.changed", ada.id),
    ]


def test_the_mailbox_alone_confirms_nothing(people: People, ada: User) -> None:
    bob = people.join("bob@example.com", "Bob Ltd").user
    ask(people, ada)
    token = people.token(NEW)
    with pytest.raises(LinkOfSomebodyElse):
        people.email_change.link_of(bob.id, token)
    with pytest.raises(LinkOfSomebodyElse):
        confirm(people, bob, token)
    assert people.sign_in.user(OLD, PASSWORD) == ada
    assert confirm(people, ada, token).email == NEW


def test_a_password_that_was_changed_meanwhile_asks_for_no_address(
    people: People, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    slow_check = people.sign_in.again

    def check_and_be_overtaken(*args: Any, **options: Any) -> User:
        checked = slow_check(*args, **options)
        people.passwords.assign(OLD, OTHER_PASSWORD)
        return checked

    monkeypatch.setattr(people.sign_in, "again", check_and_be_overtaken)
    with pytest.raises(WrongCredentials):
        ask(people, ada)
    assert people.mails_to(NEW) == []


def test_it_takes_the_password_and_an_address(people: People, ada: User) -> None:
    with pytest.raises(WrongCredentials):
        people.email_change.request(ada.id, NEW, OTHER_PASSWORD, by=actor(ada), language="en")
    with pytest.raises(EmailInvalid):
        ask(people, ada, "nobody")
    with pytest.raises(UserNotFound):
        people.email_change.request("user_none", NEW, PASSWORD, by=actor(ada), language="en")
    assert people.mails_to(NEW) == []


def test_a_known_address_is_told_and_the_asker_is_not(people: People, ada: User) -> None:
    people.join("bob@example.com", "Bob Ltd")
    ask(people, ada, "bob@example.com")
    told = people.mails_to("bob@example.com")[-1]
    assert told["Subject"] == "You are registered already"
    assert "/confirm-email/" not in text_of(told)


def test_an_address_that_was_taken_since_is_not_taken_over(people: People, ada: User) -> None:
    ask(people, ada)
    token = people.token(NEW)
    other = people.join(NEW, "Other").user
    with pytest.raises(LinkInvalid):
        confirm(people, ada, token)
    assert people.sign_in.user(NEW, PASSWORD) == other
    assert people.sign_in.user(OLD, PASSWORD) == ada


def test_two_who_want_one_address_at_once_do_not_both_get_it(people: People, ada: User) -> None:
    bob = people.join("bob@example.com", "Bob Ltd").user
    tokens = []
    for user in (ada, bob):
        ask(people, user)
        tokens.append(people.token(NEW))

    def try_to(user: User, token: str) -> User | AppError:
        try:
            return confirm(people, user, token)
        except LinkInvalid as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(try_to, (ada, bob), tokens))
    (winner,) = [each for each in outcomes if isinstance(each, User)]
    assert people.sign_in.user(NEW, PASSWORD).id == winner.id


def test_a_link_to_the_old_mailbox_resets_no_password_afterwards(people: People, ada: User) -> None:
    people.passwords.request_reset(OLD, language="en", address=CLIENT)
    reset = people.token(OLD)
    ask(people, ada)
    confirm(people, ada, people.token(NEW))
    with pytest.raises(LinkInvalid):
        people.passwords.reset(reset, OTHER_PASSWORD, address=CLIENT)


def test_a_new_wish_a_new_password_and_a_day_end_the_link(people: People, clock: FrozenClock, ada: User) -> None:
    ask(people, ada)
    first = people.token(NEW)
    ask(people, ada, "ada@third.example")
    second = people.token("ada@third.example")
    people.passwords.change(ada.id, PASSWORD, OTHER_PASSWORD, by=actor(ada), keep_session=None)
    people.passwords.change(ada.id, OTHER_PASSWORD, PASSWORD, by=actor(ada), keep_session=None)
    ask(people, ada)
    third = people.token(NEW)
    clock.advance(timedelta(hours=24))
    for token in (first, second, third, "made-up"):
        with pytest.raises(LinkInvalid):
            people.email_change.link(token)
