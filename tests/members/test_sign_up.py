"""Coming in: a link in a mail, a password behind it, an account; and nothing that tells which addresses are known."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.accounts.account import User
from app.accounts.email_address import EmailInvalid
from app.accounts.password import PasswordUnfit
from app.accounts.service import EmailTaken
from app.accounts.user_store import insert_user
from app.clock import FrozenClock
from app.database import Database
from app.errors import AppError, Invalid
from app.members.joining import SignUpClosed
from app.members.mailed_link import LinkInvalid
from app.members.member import Joined
from app.members.role import Role
from app.members.seat import AlreadyMember
from app.members.sign_in import WrongCredentials
from app.members.throttle import TooManyAttempts
from app.pricing.service import Plans
from tests.members.people import CLIENT, OTHER_PASSWORD, PASSWORD, People, text_of

ADA = "ada@example.com"


def test_a_newcomer_gets_a_user_and_an_account_on_the_default_plan(people: People) -> None:
    people.request(" Ada@Example.com ")
    link = people.sign_up.link(people.token(ADA))
    assert (link.email, link.account_name, link.zone, people.sign_up.has_user(link)) == (
        ADA,
        "Ada Inc",
        "Asia/Shanghai",
        False,
    )
    joined = people.sign_up.join(people.token(ADA), PASSWORD, address=CLIENT)
    assert joined.new_account
    assert people.sign_in.user(ADA, PASSWORD) == joined.user
    (membership,) = people.members.accounts_of(joined.user.id)
    assert (membership.account.id, membership.role) == (joined.account_id, Role.OWNER)
    assert (membership.account.name, membership.account.zone) == ("Ada Inc", "Asia/Shanghai")
    assert membership.account.currency == "EUR"  # the plan's
    plan = Plans(people.database, people.clock).in_effect(joined.account_id, people.clock.now())
    assert plan is not None
    assert plan.plan_key == "payg"
    assert people.actions()[-4:] == ["user.created", "account.created", "plan.assigned", "member.joined"]
    assert {(entry.actor.id, entry.actor.address) for entry in people.entries()[-4:]} == {(joined.user.id, CLIENT)}


def test_nobody_exists_before_the_link_is_followed(people: People) -> None:
    people.request()
    with people.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM users")) == 0
        assert session.scalar(text("SELECT count(*) FROM accounts")) == 0
    with pytest.raises(WrongCredentials):
        people.sign_in.user(ADA, PASSWORD)


def test_the_answer_is_the_same_for_a_known_address_and_only_its_mailbox_learns_that_it_is_known(
    people: People,
) -> None:
    people.join()
    assert people.request(ADA) is None  # type: ignore[func-returns-value]  # that nothing is told is the point
    assert people.request("new@example.com") is None  # type: ignore[func-returns-value]
    known, unknown = people.mails_to(ADA)[-1], people.mails_to("new@example.com")[-1]
    assert known["Subject"] == "You are registered already"
    assert "/join/" not in text_of(known)
    assert "/join/" in text_of(unknown)


def test_a_known_and_an_unknown_address_cost_the_same_writes(people: People) -> None:
    people.join()
    writes = []
    for email in (ADA, "new@example.com"):
        before = rows(people)
        people.request(email)
        writes.append({table: after - before[table] for table, after in rows(people).items()})
    assert writes == [{"mailed_links": 1, "outgoing_mail": 1}] * 2


def rows(people: People) -> dict[str, int]:
    with people.database.reading() as session:
        return {
            table: session.scalar(text(f"SELECT count(*) FROM {table}")) or 0
            for table in ("mailed_links", "outgoing_mail")
        }


def test_what_a_stranger_typed_is_not_mailed_to_somebody_else(people: People) -> None:
    people.request(ADA, "Win a prize at evil.example")
    (message,) = people.mails_to(ADA)
    assert "evil.example" not in message.as_string()


@pytest.mark.parametrize(
    ("email", "account", "zone", "error"),
    [
        ("nobody", "Ada", "UTC", EmailInvalid),
        ("a@b\r\nBcc: c@d.example", "Ada", "UTC", EmailInvalid),
        (ADA, "", "UTC", Invalid),
        (ADA, "Ada\r\nInc", "UTC", Invalid),
        (ADA, "Ada", "Mars/Olympus", Invalid),
    ],
)
def test_a_wrong_request_mails_nothing(
    people: People, email: str, account: str, zone: str, error: type[AppError]
) -> None:
    with pytest.raises(error):
        people.sign_up.request(email, account, zone=zone, language="en", address=CLIENT)
    assert people.mails() == []


def test_mails_are_limited_by_address_alike_for_known_and_unknown_ones(people: People) -> None:
    people.join()
    for email in (ADA, "new@example.com"):
        for _ in range(5):
            people.request(email)
        with pytest.raises(TooManyAttempts):
            people.request(email)


def test_mails_are_limited_by_client(people: People) -> None:
    for number in range(60):
        people.request(f"user{number}@example.com")
    with pytest.raises(TooManyAttempts):
        people.request("one.more@example.com")
    people.sign_up.request("one.more@example.com", "Ada", zone="UTC", language="en", address="192.0.2.8")


def test_a_link_works_once(people: People) -> None:
    people.request()
    token = people.token(ADA)
    people.sign_up.join(token, PASSWORD, address=CLIENT)
    for attempt in (lambda: people.sign_up.link(token), lambda: people.sign_up.join(token, PASSWORD, address=CLIENT)):
        with pytest.raises(LinkInvalid):
            attempt()


def test_unknown_used_and_expired_links_are_one(people: People, clock: FrozenClock) -> None:
    people.request()
    used = people.token(ADA)
    people.sign_up.join(used, PASSWORD, address=CLIENT)
    people.request("late@example.com")
    expired = people.token("late@example.com")
    clock.advance(timedelta(hours=24))
    people.passwords.request_reset(ADA, language="en", address=CLIENT)
    refusals = set()
    for token in (used, expired, people.token(ADA), "made-up", "", "\x00", "ü"):
        with pytest.raises(LinkInvalid) as caught:
            people.sign_up.join(token, OTHER_PASSWORD, address=CLIENT)
        refusals.add(str(caught.value))
    assert len(refusals) == 1


def test_of_a_token_only_its_digest_is_stored(people: People, database: Database) -> None:
    people.request()
    token = people.token(ADA)  # delivered: the text of the mail is gone as well
    with database.reading() as session:
        stored = [
            str(row)
            for table in ("mailed_links", "outgoing_mail")
            for row in session.execute(text(f"SELECT * FROM {table}"))
        ]
    assert len(stored) == 2
    assert token not in "".join(stored)


def test_a_weak_password_leaves_the_link_as_it_was(people: People) -> None:
    people.request()
    token = people.token(ADA)
    for password in ("x" * 11, "x" * 257):
        with pytest.raises(PasswordUnfit):
            people.sign_up.join(token, password, address=CLIENT)
    assert people.sign_up.join(token, PASSWORD, address=CLIENT).new_account


def test_a_second_link_to_the_same_address_ends_with_the_first(people: People) -> None:
    people.request()
    first = people.token(ADA)
    people.request()
    second = people.token(ADA)
    people.sign_up.join(first, PASSWORD, address=CLIENT)
    with pytest.raises(LinkInvalid):
        people.sign_up.join(second, PASSWORD, address=CLIENT)


def test_of_many_who_follow_one_link_at_once_one_joins(people: People) -> None:
    people.request()
    token = people.token(ADA)

    def join(number: int) -> Joined | AppError:
        try:
            return people.sign_up.join(token, PASSWORD, address=f"192.0.2.{number}")
        except AppError as error:
            return error

    with ThreadPoolExecutor(4) as pool:
        outcomes = list(pool.map(join, range(4)))
    joined = [each for each in outcomes if isinstance(each, Joined)]
    assert len(joined) == 1
    assert {type(each) for each in outcomes if isinstance(each, AppError)} <= {LinkInvalid, EmailTaken, TooManyAttempts}
    assert len(people.members.accounts_of(joined[0].user.id)) == 1


def test_an_invited_newcomer_joins_the_account_in_the_role(people: People) -> None:
    owner = people.join()
    token = people.invite(owner.account_id, "bob@example.com", Role.BILLING, owner.user)
    link = people.sign_up.link(token)
    assert (link.account_name, link.role, people.sign_up.has_user(link)) == ("Ada Inc", Role.BILLING, False)
    joined = people.sign_up.join(token, PASSWORD, address=CLIENT)
    assert (joined.account_id, joined.new_account) == (owner.account_id, False)
    membership = people.members.membership(joined.user.id, owner.account_id)
    assert membership is not None
    assert membership.role is Role.BILLING
    assert people.members.invitations(owner.account_id) == []


def test_an_invited_user_gives_the_own_password_not_a_new_one(people: People) -> None:
    owner, bob = people.join(), people.join("bob@example.com", "Bob Ltd")
    token = people.invite(owner.account_id, "bob@example.com", Role.VIEWER, owner.user)
    assert people.sign_up.has_user(people.sign_up.link(token))
    with pytest.raises(WrongCredentials):
        people.sign_up.join(token, OTHER_PASSWORD, address=CLIENT)
    assert people.sign_in.user("bob@example.com", PASSWORD) == bob.user  # nothing was overwritten
    assert people.sign_up.join(token, PASSWORD, address=CLIENT).user == bob.user
    assert len(people.members.accounts_of(bob.user.id)) == 2


def test_guessing_the_password_behind_an_invitation_is_slow(people: People) -> None:
    owner = people.join()
    people.join("bob@example.com", "Bob Ltd")
    token = people.invite(owner.account_id, "bob@example.com", Role.VIEWER, owner.user)
    errors = []
    for _ in range(6):
        with pytest.raises(AppError) as caught:
            people.sign_up.join(token, OTHER_PASSWORD, address=CLIENT)
        errors.append(type(caught.value))
    assert errors == [WrongCredentials] * 5 + [TooManyAttempts]


def test_who_is_signed_in_accepts_without_a_password_what_was_mailed_to_them_alone(people: People) -> None:
    owner, bob = people.join(), people.join("bob@example.com", "Bob Ltd")
    token = people.invite(owner.account_id, "bob@example.com", Role.DEVELOPER, owner.user)
    with pytest.raises(LinkInvalid):
        people.sign_up.accept(token, owner.user, address=CLIENT)
    assert people.sign_up.accept(token, bob.user, address=CLIENT).account_id == owner.account_id


def test_who_belongs_to_the_account_already_joins_no_second_time(people: People) -> None:
    owner = people.join()
    token = people.invite(owner.account_id, "bob@example.com", Role.VIEWER, owner.user)
    bob = people.join("bob@example.com", "Bob Ltd").user
    people.members.add(owner.account_id, "bob@example.com", Role.OWNER)
    with pytest.raises(AlreadyMember):
        people.sign_up.accept(token, bob, address=CLIENT)
    membership = people.members.membership(bob.id, owner.account_id)
    assert membership is not None
    assert membership.role is Role.OWNER


def test_a_user_made_in_between_keeps_the_password(people: People) -> None:
    people.request()
    link = people.sign_up.link(people.token(ADA))
    with people.database.transaction() as session:
        insert_user(session, User("user_1", ADA, operator=True, created_at=people.clock.now()), password_hash="theirs")
    with pytest.raises(EmailTaken):
        people.sign_up._enter(link, None, "an intruder's", CLIENT)
    with people.database.reading() as session:
        assert session.scalar(text("SELECT password_hash FROM users")) == "theirs"
        assert session.scalar(text("SELECT used_at FROM mailed_links")) is None


@pytest.mark.parametrize("policy", ["invitation", "closed"])
def test_nobody_signs_up_where_it_is_not_open(database: Database, clock: FrozenClock, policy: str) -> None:
    people = People(database, clock, policy="invitation" if policy == "invitation" else "closed")
    assert not people.sign_up.open_to_all
    with pytest.raises(SignUpClosed):
        people.request()


def test_without_a_default_plan_sign_up_is_closed(database: Database, clock: FrozenClock) -> None:
    people = People(database, clock, default_plan=None)
    assert (people.sign_up.policy, people.sign_up.open_to_all) == ("closed", False)
    with pytest.raises(SignUpClosed):
        people.request()


def test_a_link_from_before_it_was_closed_opens_no_account(people: People) -> None:
    people.request()
    token = people.token(ADA)
    closed = People(people.database, people.clock, policy="closed")
    with pytest.raises(SignUpClosed):
        closed.sign_up.join(token, PASSWORD, address=CLIENT)


def test_a_default_plan_that_was_never_published_opens_nothing_and_spares_the_link(people: People) -> None:
    people.request()
    token = people.token(ADA)
    people.sign_up._plan_key = "missing"
    with pytest.raises(SignUpClosed):
        people.sign_up.join(token, PASSWORD, address=CLIENT)
    with people.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM users")) == 0
    people.sign_up._plan_key = "payg"
    assert people.sign_up.join(token, PASSWORD, address=CLIENT).new_account
