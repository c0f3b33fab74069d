"""New passwords: by a link that works once, or by the old one; and whoever had sneaked in is out."""

import contextlib
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import inspect, text

from app.accounts.account import User
from app.accounts.email_address import EmailInvalid
from app.accounts.password import PasswordUnfit
from app.accounts.user_store import insert_user
from app.clock import FrozenClock
from app.database import Base
from app.errors import AppError
from app.members.mailed_link import LinkInvalid
from app.members.membership import UserNotFound
from app.members.role import Role
from app.members.sign_in import WrongCredentials
from app.members.throttle import TooManyAttempts
from tests.members.people import CLIENT, OTHER_PASSWORD, PASSWORD, People, actor

ADA = "ada@example.com"


@pytest.fixture
def ada(people: People) -> User:
    return people.join().user


def reset_token(people: People, email: str = ADA) -> str:
    people.passwords.request_reset(email, language="en", address=CLIENT)
    return people.token(email)


def test_a_reset_link_sets_a_new_password_once(people: People, ada: User) -> None:
    token = reset_token(people)
    assert people.passwords.link(token).email == ADA
    assert people.passwords.reset(token, OTHER_PASSWORD, address=CLIENT) == ada
    assert people.sign_in.user(ADA, OTHER_PASSWORD) == ada
    with pytest.raises(WrongCredentials):
        people.sign_in.user(ADA, PASSWORD)
    with pytest.raises(LinkInvalid):
        people.passwords.reset(token, PASSWORD, address=CLIENT)
    entry = people.entries()[-1]
    assert (entry.action, entry.target, entry.actor.id, entry.actor.address) == (
        "password.reset",
        ada.id,
        ada.id,
        CLIENT,
    )


def test_a_reset_signs_the_user_out_everywhere(people: People, ada: User) -> None:
    tokens = [people.sessions.open(ada, address=CLIENT, agent="")[1] for _ in range(2)]
    people.passwords.reset(reset_token(people), OTHER_PASSWORD, address=CLIENT)
    assert [people.sessions.visit(token) for token in tokens] == [None, None]


def test_nothing_tells_an_unknown_address(people: People, ada: User) -> None:
    writes = []
    for email in (ADA, "nobody@example.com"):
        before = rows_by_table(people)
        assert people.passwords.request_reset(email, language="en", address=CLIENT) is None  # type: ignore[func-returns-value]  # that nothing is told is the point
        writes.append({table: count - before[table] for table, count in rows_by_table(people).items()})
    assert writes[0] == writes[1]  # the same inserts for both: the time tells nothing either
    assert {table for table, count in writes[0].items() if count} == {"mailed_links", "outgoing_mail"}
    assert people.mails_to("nobody@example.com") == []
    assert len(people.mails_to(ADA)) == 2
    with people.database.reading() as session:
        unsent = session.execute(text("SELECT text, html FROM outgoing_mail WHERE recipient = 'nobody@example.com'"))
        assert unsent.one() == ("", "")
    with pytest.raises(EmailInvalid):
        people.passwords.request_reset("nobody", language="en", address=CLIENT)


def rows_by_table(people: People) -> dict[str, int]:
    with people.database.reading() as session:
        return {
            table: session.scalar(text(f"SELECT count(*) FROM {table}")) or 0
            for table in Base.metadata.tables
            if inspect(session.connection()).has_table(table)
        }


def test_whoever_asks_too_often_keeps_nobody_from_a_new_password(people: People, ada: User) -> None:
    for number in range(20):
        people.passwords.request_reset(ADA, language="en", address=f"192.0.2.{number}")
    assert len([mail for mail in people.mails_to(ADA) if mail["Subject"] == "Choose a new password"]) == 5
    people.passwords.link(people.token(ADA))  # the last one that was mailed still works


def test_mails_of_another_kind_use_no_reset_up(people: People, ada: User) -> None:
    for number in range(6):
        with contextlib.suppress(TooManyAttempts):
            people.sign_up.request(ADA, "Ada", zone="UTC", language="en", address=f"192.0.2.{number}")
    people.passwords.link(reset_token(people))


def test_a_client_beyond_its_own_limit_uses_up_nobodys_address(people: People, ada: User) -> None:
    for number in range(60):
        people.passwords.request_reset(f"user{number}@example.com", language="en", address="192.0.2.9")
    for _ in range(6):
        with pytest.raises(TooManyAttempts):
            people.passwords.request_reset(ADA, language="en", address="192.0.2.9")
    people.passwords.link(reset_token(people))


def test_a_new_reset_link_ends_the_older_ones_of_that_user_alone(people: People, ada: User) -> None:
    people.join("bob@example.com", "Bob Ltd")
    first, of_bob = reset_token(people), reset_token(people, "bob@example.com")
    second = reset_token(people)
    with pytest.raises(LinkInvalid):
        people.passwords.link(first)
    people.passwords.link(second)
    people.passwords.link(of_bob)


def test_a_reset_link_lives_an_hour(people: People, clock: FrozenClock, ada: User) -> None:
    token = reset_token(people)
    clock.advance(timedelta(minutes=59))
    people.passwords.link(token)
    clock.advance(timedelta(minutes=1))
    with pytest.raises(LinkInvalid):
        people.passwords.reset(token, OTHER_PASSWORD, address=CLIENT)


def test_a_link_for_something_else_resets_nothing(people: People, ada: User) -> None:
    people.request("new@example.com")
    with pytest.raises(LinkInvalid):
        people.passwords.reset(people.token("new@example.com"), OTHER_PASSWORD, address=CLIENT)
    with pytest.raises(LinkInvalid):
        people.sign_up.join(reset_token(people), OTHER_PASSWORD, address=CLIENT)


def test_a_weak_password_leaves_the_link_as_it_was(people: People, ada: User) -> None:
    token = reset_token(people)
    with pytest.raises(PasswordUnfit):
        people.passwords.reset(token, "short", address=CLIENT)
    people.passwords.reset(token, OTHER_PASSWORD, address=CLIENT)


def test_of_two_who_follow_one_link_at_once_one_sets_the_password(people: People, ada: User) -> None:
    token = reset_token(people)
    candidates = [f"password number {number}" for number in range(3)]

    def reset(password: str) -> str | AppError:
        try:
            people.passwords.reset(token, password, address=CLIENT)
        except AppError as error:
            return error
        return password

    with ThreadPoolExecutor(3) as pool:
        outcomes = list(pool.map(reset, candidates))
    (winner,) = [each for each in outcomes if isinstance(each, str)]
    assert {type(each) for each in outcomes} == {str, LinkInvalid}
    assert people.sign_in.user(ADA, winner) == ada


def test_a_change_needs_the_old_password_and_keeps_only_this_session(people: People, ada: User) -> None:
    kept, token = people.sessions.open(ada, address=CLIENT, agent="")
    _, other = people.sessions.open(ada, address=CLIENT, agent="")
    with pytest.raises(WrongCredentials):
        people.passwords.change(ada.id, OTHER_PASSWORD, "x" * 20, by=actor(ada), keep_session=kept.id)
    with pytest.raises(PasswordUnfit):
        people.passwords.change(ada.id, PASSWORD, "short", by=actor(ada), keep_session=kept.id)
    people.passwords.change(ada.id, PASSWORD, OTHER_PASSWORD, by=actor(ada), keep_session=kept.id)
    assert people.sessions.visit(other) is None
    visit = people.sessions.visit(token)
    assert visit is not None
    assert visit.token != token
    assert people.sign_in.user(ADA, OTHER_PASSWORD) == ada
    assert people.actions().count("password.changed") == 1


def test_a_change_ends_the_links_that_an_intruder_may_have_asked_for(people: People, ada: User) -> None:
    token = reset_token(people)
    people.passwords.change(ada.id, PASSWORD, OTHER_PASSWORD, by=actor(ada), keep_session=None)
    with pytest.raises(LinkInvalid):
        people.passwords.link(token)


def overtaken_by_a_reset(people: People, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the password be reset while the next check of the old one takes its time."""
    find = people.sign_in._find

    def find_slowly(email: str, password: str) -> User | None:
        found = find(email, password)
        monkeypatch.setattr(people.sign_in, "_find", find)
        people.passwords.reset(reset_token(people), OTHER_PASSWORD, address=CLIENT)
        return found

    monkeypatch.setattr(people.sign_in, "_find", find_slowly)


def test_a_change_that_a_reset_overtakes_changes_nothing(
    people: People, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    overtaken_by_a_reset(people, monkeypatch)
    with pytest.raises(WrongCredentials):
        people.passwords.change(ada.id, PASSWORD, "an intruder's password", by=actor(ada), keep_session=None)
    assert people.sign_in.user(ADA, OTHER_PASSWORD) == ada


def test_a_sign_in_that_a_reset_overtakes_opens_no_session(
    people: People, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    overtaken_by_a_reset(people, monkeypatch)
    proved = people.sign_in.user(ADA, PASSWORD)
    with pytest.raises(WrongCredentials):
        people.sessions.open(proved, address=CLIENT, agent="")
    assert people.sessions.list(ada.id) == []
    people.sessions.open(people.sign_in.user(ADA, OTHER_PASSWORD), address=CLIENT, agent="")


def test_joining_that_a_reset_overtakes_lets_nobody_in(
    people: People, ada: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    bob = people.join("bob@example.com", "Bob Ltd")
    token = people.invite(bob.account_id, ADA, Role.OWNER, bob.user)
    overtaken_by_a_reset(people, monkeypatch)
    with pytest.raises(WrongCredentials):
        people.sign_up.join(token, PASSWORD, address=CLIENT)
    assert people.members.membership(ada.id, bob.account_id) is None
    assert people.sign_up.link(token).role is Role.OWNER


def test_the_old_password_is_not_guessed_through_a_change(people: People, ada: User) -> None:
    errors = []
    for _ in range(6):
        with pytest.raises(AppError) as caught:
            people.passwords.change(ada.id, OTHER_PASSWORD, "x" * 20, by=actor(ada), keep_session=None)
        errors.append(type(caught.value))
    assert errors == [WrongCredentials] * 5 + [TooManyAttempts]
    with pytest.raises(UserNotFound):
        people.passwords.change("user_none", PASSWORD, OTHER_PASSWORD, by=actor(ada), keep_session=None)


def test_the_command_line_sets_a_password_and_ends_every_session(people: People, ada: User) -> None:
    _, token = people.sessions.open(ada, address=CLIENT, agent="")
    people.passwords.assign(ADA.upper(), OTHER_PASSWORD)
    assert people.sessions.visit(token) is None
    assert people.sign_in.user(ADA, OTHER_PASSWORD) == ada
    assert people.entries()[-1].action == "password.set"
    with pytest.raises(UserNotFound):
        people.passwords.assign("nobody@example.com", OTHER_PASSWORD)


def test_who_signs_in_elsewhere_gets_a_password_by_the_mailbox(people: People) -> None:
    user = User("user_1", "else@example.com", operator=False, created_at=people.clock.now())
    with people.database.transaction() as session:
        insert_user(session, user, password_hash=None)
    assert not people.passwords.has_password(user.id)
    people.passwords.reset(reset_token(people, user.email), PASSWORD, address=CLIENT)
    assert people.passwords.has_password(user.id)
    assert people.sign_in.user(user.email, PASSWORD) == user
