"""Members: an account keeps an owner, whoever leaves and whenever, and a change of rights reaches every session."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.accounts.account import User
from app.accounts.email_address import EmailInvalid
from app.clock import FrozenClock
from app.database import Database
from app.errors import AppError, NotFound
from app.members import member_store
from app.members.mailed_link import LinkInvalid
from app.members.member import Joined
from app.members.membership import (
    InvitationNotFound,
    InvitationsClosed,
    LastOwner,
    MemberNotFound,
    UserNotFound,
)
from app.members.role import Permission, Role, RoleMissing, RoleUnknown, parse_role, permissions_of
from app.members.seat import AlreadyMember
from app.members.throttle import TooManyAttempts
from tests.members.people import CLIENT, PASSWORD, People, actor

BOB = "bob@example.com"


@pytest.fixture
def ada(people: People) -> Joined:
    return people.join()


def roles(people: People, account_id: str) -> dict[str, Role]:
    return {member.user.email: member.role for member in people.members.list(account_id)}


def test_roles_allow_what_they_say() -> None:
    viewer = {Permission.USAGE_READ, Permission.KEYS_READ, Permission.MEMBERS_READ}
    assert permissions_of(Role.VIEWER) == viewer
    assert permissions_of(Role.DEVELOPER) == viewer | {Permission.KEYS_WRITE, Permission.PREDICT}
    assert permissions_of(Role.BILLING) == viewer | {Permission.BILLING_READ, Permission.BUDGETS_WRITE}
    assert permissions_of(Role.OWNER) == set(Permission)


def test_a_membership_refuses_what_its_role_does_not_allow(people: People, ada: Joined) -> None:
    bob = people.member(ada.account_id, BOB, Role.BILLING, ada.user)
    membership = people.members.membership(bob.id, ada.account_id)
    assert membership is not None
    membership.require(Permission.BILLING_READ)
    with pytest.raises(RoleMissing):
        membership.require(Permission.KEYS_WRITE)


def test_a_role_is_known_by_its_name() -> None:
    assert parse_role("developer") is Role.DEVELOPER
    with pytest.raises(RoleUnknown):
        parse_role("Owner")


def test_a_stranger_is_nothing_to_an_account(people: People, ada: Joined) -> None:
    bob = people.join(BOB, "Bob Ltd")
    assert people.members.membership(bob.user.id, ada.account_id) is None
    assert people.members.membership(ada.user.id, "acct_none") is None


def test_an_invitation_is_listed_until_it_is_answered_cancelled_or_over(
    people: People, clock: FrozenClock, ada: Joined
) -> None:
    by = actor(ada.user)
    for email in ("one@example.com", "two@example.com", "three@example.com"):
        people.invite(ada.account_id, email, Role.VIEWER, ada.user)
        clock.advance(timedelta(seconds=1))
    first, second, third = people.members.invitations(ada.account_id)
    assert (first.email, first.role, first.expires_at - first.created_at) == (
        "one@example.com",
        Role.VIEWER,
        timedelta(days=7),
    )
    people.sign_up.join(people.token(first.email), PASSWORD, address=CLIENT)
    people.members.cancel_invitation(ada.account_id, second.id, by=by)
    assert people.members.invitations(ada.account_id) == [third]
    with pytest.raises(LinkInvalid):
        people.sign_up.link(people.token(second.email))
    for gone in (first.id, second.id, "lnk_none"):
        with pytest.raises(InvitationNotFound):
            people.members.cancel_invitation(ada.account_id, gone, by=by)
    clock.advance(timedelta(days=7))
    assert people.members.invitations(ada.account_id) == []
    assert [each for each in people.actions() if "invit" in each] == ["member.invited"] * 3 + [
        "member.invitation_cancelled"
    ]


@pytest.mark.parametrize("leaves", [True, False])
def test_whoever_is_put_out_or_steps_down_leaves_no_open_door(people: People, ada: Joined, leaves: bool) -> None:
    bob = people.member(ada.account_id, BOB, Role.OWNER, ada.user)
    of_bob = people.invite(ada.account_id, "accomplice@example.com", Role.OWNER, bob)
    of_ada = people.invite(ada.account_id, "friend@example.com", Role.VIEWER, ada.user)
    if leaves:
        people.members.remove(ada.account_id, bob.id, by=actor(ada.user))
    else:
        people.members.change_role(ada.account_id, bob.id, Role.DEVELOPER, by=actor(ada.user))
    with pytest.raises(LinkInvalid):
        people.sign_up.join(of_bob, PASSWORD, address=CLIENT)
    with pytest.raises(RoleMissing):
        people.members.invite(ada.account_id, "another@example.com", Role.OWNER, by=actor(bob), language="en")
    assert people.sign_up.join(of_ada, PASSWORD, address=CLIENT).account_id == ada.account_id


def test_an_invitation_is_worth_what_its_sender_may_do_when_it_is_accepted(people: People, ada: Joined) -> None:
    bob = people.member(ada.account_id, BOB, Role.OWNER, ada.user)
    token = people.invite(ada.account_id, "accomplice@example.com", Role.OWNER, bob)
    with people.database.transaction() as session:
        member_store.set_role(session, ada.account_id, bob.id, Role.VIEWER)
    with pytest.raises(LinkInvalid):
        people.sign_up.join(token, PASSWORD, address=CLIENT)


def test_the_log_names_the_invitation_that_somebody_joined_by_and_nobodys_address(people: People, ada: Joined) -> None:
    token = people.invite(ada.account_id, BOB, Role.BILLING, ada.user)
    bob = people.sign_up.join(token, PASSWORD, address=CLIENT).user
    (invited,) = (entry for entry in people.entries() if entry.action == "member.invited")
    joined = people.entries()[-1]
    assert (joined.target, dict(joined.details)) == (bob.id, {"role": "billing", "invitation": invited.target})
    assert people.members.invited([invited.target, "lnk_none"]) == {invited.target: BOB}
    assert "@" not in "".join(str(entry.details) + entry.target for entry in people.entries())


def test_another_account_cannot_cancel_an_invitation(people: People, ada: Joined) -> None:
    bob = people.join(BOB, "Bob Ltd")
    people.invite(ada.account_id, "new@example.com", Role.VIEWER, ada.user)
    (invitation,) = people.members.invitations(ada.account_id)
    with pytest.raises(InvitationNotFound):
        people.members.cancel_invitation(bob.account_id, invitation.id, by=actor(bob.user))


def test_a_new_invitation_replaces_the_old_one(people: People, ada: Joined) -> None:
    old = people.invite(ada.account_id, BOB, Role.OWNER, ada.user)
    by = actor(ada.user)
    people.members.invite(ada.account_id, f" {BOB.upper()} ", Role.VIEWER, by=by, language="en")
    new = people.token(BOB)
    assert [each.role for each in people.members.invitations(ada.account_id)] == [Role.VIEWER]
    with pytest.raises(LinkInvalid):
        people.sign_up.link(old)
    assert people.sign_up.link(new).role is Role.VIEWER


def test_known_and_unknown_addresses_are_invited_alike(people: People, ada: Joined) -> None:
    people.join(BOB, "Bob Ltd")
    for email in (BOB, "new@example.com"):
        people.invite(ada.account_id, email, Role.VIEWER, ada.user)
    subjects = {people.mails_to(email)[-1]["Subject"] for email in (BOB, "new@example.com")}
    assert subjects == {"You are invited to Ada Inc"}


def test_a_member_or_no_address_is_not_invited(people: People, ada: Joined) -> None:
    for email, error in ((ada.user.email, AlreadyMember), ("nobody", EmailInvalid)):
        with pytest.raises(error):
            people.members.invite(ada.account_id, email, Role.VIEWER, by=actor(ada.user), language="en")
    with pytest.raises(NotFound):
        people.members.invite("acct_none", BOB, Role.VIEWER, by=actor(ada.user), language="en")


def test_nobody_is_showered_with_invitations(people: People, ada: Joined) -> None:
    for _ in range(5):
        people.invite(ada.account_id, BOB, Role.VIEWER, ada.user)
    with pytest.raises(TooManyAttempts):
        people.invite(ada.account_id, BOB, Role.VIEWER, ada.user)


def test_a_closed_installation_invites_nobody(database: Database, clock: FrozenClock, people: People) -> None:
    ada = people.join()
    closed = People(database, clock, policy="closed")
    with pytest.raises(InvitationsClosed):
        closed.members.invite(ada.account_id, BOB, Role.VIEWER, by=actor(ada.user), language="en")


def test_the_command_line_adds_existing_users(people: People, ada: Joined) -> None:
    bob = people.join(BOB, "Bob Ltd")
    member = people.members.add(ada.account_id, BOB.title(), Role.DEVELOPER)
    assert (member.user, people.members.find(ada.account_id, BOB).role) == (bob.user, Role.DEVELOPER)
    with pytest.raises(AlreadyMember):
        people.members.add(ada.account_id, BOB, Role.OWNER)
    with pytest.raises(UserNotFound):
        people.members.add(ada.account_id, "nobody@example.com", Role.OWNER)
    with pytest.raises(NotFound):
        people.members.add("acct_none", BOB, Role.OWNER)


def test_the_last_owner_neither_leaves_nor_steps_down(people: People, ada: Joined) -> None:
    bob = people.member(ada.account_id, BOB, Role.DEVELOPER, ada.user)
    by = actor(ada.user)
    with pytest.raises(LastOwner):
        people.members.remove(ada.account_id, ada.user.id, by=by)
    with pytest.raises(LastOwner):
        people.members.change_role(ada.account_id, ada.user.id, Role.VIEWER, by=by)
    people.members.change_role(ada.account_id, ada.user.id, Role.OWNER, by=by)  # nothing changes, nothing is recorded
    assert "member.role_changed" not in people.actions()
    people.members.change_role(ada.account_id, bob.id, Role.OWNER, by=by)
    people.members.remove(ada.account_id, ada.user.id, by=by)
    assert roles(people, ada.account_id) == {BOB: Role.OWNER}
    changed, removed = people.entries()[-2:]
    assert (changed.action, changed.target, dict(changed.details)) == (
        "member.role_changed",
        bob.id,
        {"before": "developer", "after": "owner"},
    )
    assert (removed.action, removed.target, removed.actor.id) == ("member.removed", ada.user.id, ada.user.id)


@pytest.mark.parametrize("step_down", [True, False])
def test_two_owners_who_leave_at_once_leave_one_behind(people: People, ada: Joined, step_down: bool) -> None:
    bob = people.member(ada.account_id, BOB, Role.OWNER, ada.user)

    def leave(user: User) -> AppError | None:
        try:
            if step_down:
                people.members.change_role(ada.account_id, user.id, Role.VIEWER, by=actor(user))
            else:
                people.members.remove(ada.account_id, user.id, by=actor(user))
        except LastOwner as error:
            return error
        return None

    with ThreadPoolExecutor(2) as pool:
        outcomes = list(pool.map(leave, [ada.user, bob]))
    assert sum(isinstance(each, LastOwner) for each in outcomes) == 1
    assert list(roles(people, ada.account_id).values()).count(Role.OWNER) == 1


def test_who_is_no_member_is_neither_changed_nor_removed(people: People, ada: Joined) -> None:
    bob = people.join(BOB, "Bob Ltd").user
    with pytest.raises(MemberNotFound):
        people.members.change_role(ada.account_id, bob.id, Role.OWNER, by=actor(ada.user))
    with pytest.raises(MemberNotFound):
        people.members.remove(ada.account_id, bob.id, by=actor(ada.user))
    with pytest.raises(MemberNotFound):
        people.members.find(ada.account_id, BOB)
    assert people.members.among(ada.account_id, [bob.id, ada.user.id, "user_9"]) == {ada.user.id}


def test_a_change_of_rights_gives_every_session_of_that_user_a_new_token(people: People, ada: Joined) -> None:
    bob = people.member(ada.account_id, BOB, Role.VIEWER, ada.user)
    tokens = [people.sessions.open(bob, address=CLIENT, agent="")[1] for _ in range(2)]
    _, own = people.sessions.open(ada.user, address=CLIENT, agent="")
    people.members.change_role(ada.account_id, bob.id, Role.OWNER, by=actor(ada.user))
    visits = [people.sessions.visit(token) for token in tokens]
    assert [visit is not None and visit.token != token for visit, token in zip(visits, tokens, strict=True)] == [
        True,
        True,
    ]
    assert [visit and visit.memberships[0].role for visit in visits] == [Role.OWNER] * 2
    unchanged = people.sessions.visit(own)
    assert unchanged is not None
    assert unchanged.token == own
    people.members.remove(ada.account_id, bob.id, by=actor(ada.user))
    gone = people.sessions.visit(visits[0].token if visits[0] else "")
    assert gone is not None
    assert gone.memberships == ()
