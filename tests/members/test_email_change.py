"""A new address: asked for with the password, confirmed from its own mailbox, and told to the old one."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.accounts.account import User
from app.accounts.email_address import EmailInvalid
from app.clock import FrozenClock
from app.errors import AppError
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


def test_the_new_address_counts_once_it_is_confirmed(people: People, ada: User) -> None:
    _, session_token = people.sessions.open(ada, address=CLIENT, agent="")
    ask(people, ada)
    assert people.sign_in.user(OLD, PASSWORD) == ada
    token = people.token(NEW)
    assert people.email_change.link(token).email == NEW
    moved = people.email_change.confirm(token, address=CLIENT)
    assert (moved.id, moved.email) == (ada.id, NEW)
    assert people.sign_in.user(NEW, PASSWORD) == moved
    with pytest.raises(WrongCredentials):
        people.sign_in.user(OLD, PASSWORD)
    with pytest.raises(LinkInvalid):
        people.email_change.confirm(token, address=CLIENT)
    visit = people.sessions.visit(session_token)
    assert visit is not None
    assert visit.token != session_token
    told = people.mails_to(OLD)[-1]
    assert told["Subject"] == "Your e-mail address was changed"
    assert NEW in text_of(told)
    entry = people.entries()[-1]
    assert (entry.action, dict(entry.details)) == ("email.changed", {"before": OLD, "after": NEW})


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
        people.email_change.confirm(token, address=CLIENT)
    assert people.sign_in.user(NEW, PASSWORD) == other
    assert people.sign_in.user(OLD, PASSWORD) == ada


def test_two_who_want_one_address_at_once_do_not_both_get_it(people: People, ada: User) -> None:
    bob = people.join("bob@example.com", "Bob Ltd").user
    tokens = []
    for user in (ada, bob):
        ask(people, user)
        tokens.append(people.token(NEW))

    def confirm(token: str) -> User | AppError:
        try:
            return people.email_change.confirm(token, address=CLIENT)
        except LinkInvalid as error:
            return error

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(confirm, tokens))
    (winner,) = [each for each in outcomes if isinstance(each, User)]
    assert people.sign_in.user(NEW, PASSWORD).id == winner.id


def test_a_link_to_the_old_mailbox_resets_no_password_afterwards(people: People, ada: User) -> None:
    people.passwords.request_reset(OLD, language="en", address=CLIENT)
    reset = people.token(OLD)
    ask(people, ada)
    people.email_change.confirm(people.token(NEW), address=CLIENT)
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
