"""One's own sign-ins at a provider: bound with the password, told by mail, and ended."""

from datetime import timedelta

import pytest

from app.accounts.account import User
from app.accounts.user_store import insert_user
from app.clock import FrozenClock
from app.errors import AppError
from app.members.identity import IdentityConflict, IdentityNotFound, OnlySignIn, PasswordNeeded, ProvenIdentity
from app.members.session import BrowserSession
from app.members.sign_in import WrongCredentials
from tests.members.people import CLIENT, OTHER_PASSWORD, PASSWORD, People, actor

ADA = "ada@example.com"
ISSUER = "https://provider.example"


@pytest.fixture
def ada(people: People) -> User:
    return people.join().user


@pytest.fixture
def browser(people: People, ada: User) -> BrowserSession:
    return people.sessions.open(ada, address=CLIENT, agent="")[0]


def proven(subject: str = "subject-1", email: str = "at.work@example.com") -> ProvenIdentity:
    return ProvenIdentity(ISSUER, subject, email, "Ada")


def allow(people: People, user: User, session: BrowserSession, password: str = PASSWORD) -> None:
    people.identity_binding.allow(user.id, password, session_id=session.id, address=CLIENT)


def bind(people: People, user: User, session: BrowserSession, identity: ProvenIdentity | None = None) -> User:
    return people.identity_binding.bind(identity or proven(), session_id=session.id, by=actor(user), language="en")


def test_a_sign_in_is_bound_after_the_password_whatever_its_address_and_the_user_is_told(
    people: People, ada: User, browser: BrowserSession
) -> None:
    allow(people, ada, browser)
    assert bind(people, ada, browser) == ada
    assert people.identities.user_of(proven(), zone="UTC", language="en", address=CLIENT) == ada
    assert [each.issuer for each in people.identity_binding.list(ada.id)] == [ISSUER]
    assert people.mails_to(ADA)[-1]["Subject"] == "Another way to sign in"
    assert people.actions()[-1] == "identity.bound"


def test_a_session_alone_binds_nothing(people: People, clock: FrozenClock, ada: User, browser: BrowserSession) -> None:
    with pytest.raises(PasswordNeeded):
        bind(people, ada, browser)
    with pytest.raises(WrongCredentials):
        allow(people, ada, browser, OTHER_PASSWORD)
    allow(people, ada, browser)
    other, _ = people.sessions.open(ada, address=CLIENT, agent="")
    with pytest.raises(PasswordNeeded):
        bind(people, ada, other)
    clock.advance(timedelta(minutes=11))
    with pytest.raises(PasswordNeeded):
        bind(people, ada, browser)
    assert people.identity_binding.list(ada.id) == []


def test_one_password_binds_one_sign_in(people: People, ada: User, browser: BrowserSession) -> None:
    allow(people, ada, browser)
    bind(people, ada, browser)
    with pytest.raises(PasswordNeeded):
        bind(people, ada, browser, proven("subject-2"))
    allow(people, ada, browser)
    with pytest.raises(IdentityConflict):
        bind(people, ada, browser, proven("subject-2"))


def test_the_sign_in_of_somebody_else_is_not_taken_over(people: People, ada: User, browser: BrowserSession) -> None:
    allow(people, ada, browser)
    bind(people, ada, browser)
    bob = people.join("bob@example.com", "Bob Ltd").user
    of_bob, _ = people.sessions.open(bob, address=CLIENT, agent="")
    allow(people, bob, of_bob)
    with pytest.raises(IdentityConflict):
        bind(people, bob, of_bob)
    assert people.identities.user_of(proven(), zone="UTC", language="en", address=CLIENT) == ada


def test_a_sign_in_that_is_ended_leads_nowhere_and_signs_out_what_came_by_it(
    people: People, ada: User, browser: BrowserSession
) -> None:
    allow(people, ada, browser)
    bind(people, ada, browser)
    same_person = proven(email=ADA)
    came_by_it = people.identities.user_of(same_person, zone="UTC", language="en", address=CLIENT)
    _, token = people.sessions.open(came_by_it, address=CLIENT, agent="")
    people.identity_binding.unbind(ISSUER, by=actor(ada), keep_session=browser.id)
    assert people.sessions.visit(token) is None
    with pytest.raises(WrongCredentials):  # a sign-in that was under way
        people.sessions.open(came_by_it, address=CLIENT, agent="")
    with pytest.raises(AppError, match="has a user here"):
        people.identities.user_of(same_person, zone="UTC", language="en", address=CLIENT)
    with pytest.raises(IdentityNotFound):
        people.identity_binding.unbind(ISSUER, by=actor(ada), keep_session=browser.id)
    assert people.actions()[-1] == "identity.unbound"
    assert [each.id for each in people.sessions.list(ada.id)] == [browser.id]


def test_the_only_way_in_is_not_ended(people: People) -> None:
    user = User("user_1", "else@example.com", operator=False, created_at=people.clock.now())
    with people.database.transaction() as session:
        insert_user(session, user, password_hash=None)
    people.identities.user_of(proven(email=user.email), zone="UTC", language="en", address=CLIENT)
    with pytest.raises(OnlySignIn):
        people.identity_binding.unbind(ISSUER, by=actor(user), keep_session=None)
    assert [each.issuer for each in people.identity_binding.list(user.id)] == [ISSUER]
