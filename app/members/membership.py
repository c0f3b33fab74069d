"""The use cases of members: who belongs to an account, in what role, and who is asked to join."""

import builtins
from collections.abc import Collection
from datetime import datetime

from app.accounts import user_store
from app.accounts.account import Account
from app.accounts.email_address import normal_email
from app.accounts.service import new_account
from app.accounts.store import lock_account
from app.audit_log.actor import INSTALLATION, Actor
from app.audit_log.store import record
from app.clock import Clock
from app.database import Database, Session
from app.errors import Conflict, Forbidden, NotFound
from app.members import link_store, member_store, session_store
from app.members.inviting import inviting_user, require_inviter
from app.members.link_mail import LinkMail, make_link
from app.members.mailed_link import LinkPurpose
from app.members.member import Invitation, Member, Membership
from app.members.role import Permission, Role, permissions_of
from app.members.seat import AlreadyMember, take_seat
from app.pricing.open_account import open_in


class LastOwner(Conflict):
    """An account keeps an owner: the last one neither leaves nor takes another role."""

    code = "last_owner"


class MemberNotFound(NotFound):
    """The account has no such member."""

    code = "member_not_found"


class InvitationNotFound(NotFound):
    """The account has no such open invitation."""

    code = "invitation_not_found"


class UserNotFound(NotFound):
    """There is no such user."""

    code = "user_not_found"


class InvitationsClosed(Forbidden):
    """This installation takes nobody in: its operator makes the users."""

    code = "invitations_closed"


class Members:
    """Members of accounts. A change of what somebody may do gives all their sessions new tokens."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        link_mail: LinkMail,
        *,
        invitations_open: bool,
    ) -> None:
        self._database = database
        self._clock = clock
        self._link_mail = link_mail
        self.invitations_open = invitations_open

    def accounts_of(self, user_id: str) -> builtins.list[Membership]:
        """Return the accounts that a user belongs to, in order of creation."""
        with self._database.reading() as session:
            return member_store.memberships_of(session, user_id)

    def membership(self, user_id: str, account_id: str) -> Membership | None:
        """Return what the user is to the account, None for a stranger."""
        with self._database.reading() as session:
            return next(iter(member_store.memberships_of(session, user_id, account_id)), None)

    def list(self, account_id: str) -> builtins.list[Member]:
        """Return the members of an account in the order in which they joined."""
        with self._database.reading() as session:
            return member_store.list_members(session, account_id)

    def find(self, account_id: str, email: str) -> Member:
        """Return the member of that address. Raises EmailInvalid, MemberNotFound."""
        email = normal_email(email)
        with self._database.reading() as session:
            found = member_store.list_members(session, account_id, email=email)
        if not found:
            raise MemberNotFound(f"{email} is no member of this account", where="email")
        return found[0]

    def among(self, account_id: str, user_ids: Collection[str]) -> frozenset[str]:
        """Return those of the ids that are members of the account."""
        with self._database.reading() as session:
            return member_store.members_among(session, account_id, user_ids)

    def invitations(self, account_id: str) -> builtins.list[Invitation]:
        """Return the open invitations of an account, oldest first."""
        now = self._clock.now()
        with self._database.reading() as session:
            return link_store.list_invitations(session, account_id, now)

    def invited(self, invitation_ids: Collection[str]) -> dict[str, str]:
        """Return to whom invitations went, by their ids; an answered or expired one is forgotten after a while."""
        with self._database.reading() as session:
            return link_store.invited_emails(session, invitation_ids)

    def invite(self, account_id: str, email: str, role: Role, *, by: Actor, language: str) -> None:
        """Mail an invitation; it replaces an older one to that address. Known and unknown addresses are treated alike.

        Raises EmailInvalid, InvitationsClosed, AlreadyMember, RoleMissing, TooManyAttempts, NotFound.
        """
        email = self._invitee(email, account_id)
        with self._database.transaction() as session:
            account = lock_account(session, account_id)
            require_inviter(session, account_id, by)
            if member_store.has_member(session, account_id, email):
                raise AlreadyMember(f"{email} is a member", where="email", hint="change the role instead")
            self._invite_in(session, account, email, role, by=by, language=language)
        self._link_mail.wake_postman()

    def open_account(
        self,
        name: str,
        *,
        currency: str,
        zone: str,
        anchor_day: int,
        plan_key: str | None,
        owner_email: str | None,
        by: Actor,
        language: str,
    ) -> Account:
        """Open an account for somebody else, and mail its owner, if one is named, an invitation: both, or neither.

        Raises Invalid, PlanNotFound, EmailInvalid, InvitationsClosed, TooManyAttempts.
        """
        account = new_account(name, currency=currency, zone=zone, anchor_day=anchor_day, now=self._clock.now())
        email = self._invitee(owner_email, account.id) if owner_email else None
        with self._database.transaction() as session:
            open_in(session, account, plan_key, by=by)
            if email:
                self._invite_in(session, account, email, Role.OWNER, by=by, language=language)
        self._link_mail.wake_postman()
        return account

    def _invitee(self, email: str, account_id: str) -> str:
        email = normal_email(email)
        if not self.invitations_open:
            raise InvitationsClosed("this installation takes nobody in", hint="ask the people who run it")
        self._link_mail.count(LinkPurpose.INVITATION, email, asked_by=account_id)
        return email

    def _invite_in(
        self, session: Session, account: Account, email: str, role: Role, *, by: Actor, language: str
    ) -> None:
        now = self._clock.now()
        link_store.end_invitations(session, account.id, email, now)
        link = make_link(
            LinkPurpose.INVITATION,
            email,
            now,
            language=language,
            zone=account.zone,
            account_id=account.id,
            account_name=account.name,
            role=role,
            invited_by=inviting_user(by),
        )
        self._link_mail.send(session, link)
        _record(session, "member.invited", link.id, account.id, by=by, at=now, role=role)

    def cancel_invitation(self, account_id: str, invitation_id: str, *, by: Actor) -> None:
        """Make an invitation worthless. Raises InvitationNotFound."""
        now = self._clock.now()
        with self._database.transaction() as session:
            if not link_store.cancel_invitation(session, account_id, invitation_id, now):
                raise InvitationNotFound(f"there is no open invitation {invitation_id}", where="invitation")
            _record(session, "member.invitation_cancelled", invitation_id, account_id, by=by, at=now)

    def add(self, account_id: str, email: str, role: Role, *, by: Actor = INSTALLATION) -> Member:
        """Let an existing user into an account. Raises NotFound, UserNotFound, AlreadyMember."""
        now = self._clock.now()
        with self._database.transaction() as session:
            lock_account(session, account_id)
            found = user_store.find_user(session, normal_email(email))
            if found is None:
                raise UserNotFound(f"there is no user {email}", where="email", hint="faremeter user create EMAIL")
            take_seat(session, account_id, found[0], role, now=now, by=by)
        return Member(found[0], role, now)

    def change_role(self, account_id: str, user_id: str, role: Role, *, by: Actor) -> None:
        """Give a member another role; invitations of who may not invite any more end.

        Raises NotFound, MemberNotFound, LastOwner.
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            old = _locked_role(session, account_id, user_id, becoming=role)
            if old is role:
                return
            member_store.set_role(session, account_id, user_id, role)
            if Permission.MEMBERS_WRITE not in permissions_of(role):
                link_store.end_invitations_of(session, account_id, user_id, now)
            session_store.ask_for_rotation(session, user_id)
            _record(session, "member.role_changed", user_id, account_id, by=by, at=now, before=old, after=role)

    def remove(self, account_id: str, user_id: str, *, by: Actor) -> None:
        """Take a member out of the account; invitations that it sent or could come back with end.

        Raises NotFound, MemberNotFound, LastOwner.
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            old = _locked_role(session, account_id, user_id, becoming=None)
            member_store.delete_member(session, account_id, user_id)
            link_store.end_invitations_of(session, account_id, user_id, now)
            if user := user_store.find_user_by_id(session, user_id):
                link_store.end_invitations(session, account_id, user.email, now)
            if user := user_store.find_user_by_id(session, user_id):  # one that was never used would lead back in
                link_store.end_invitations(session, account_id, user.email, now)
            session_store.ask_for_rotation(session, user_id)
            _record(session, "member.removed", user_id, account_id, by=by, at=now, role=old)


def _locked_role(session: Session, account_id: str, user_id: str, *, becoming: Role | None) -> Role:
    """Return a member's role under the account's lock: two owners who leave at once take turns."""
    lock_account(session, account_id)
    role = member_store.role_of(session, account_id, user_id)
    if role is None:
        raise MemberNotFound(f"there is no member {user_id}", where="member")
    leaves = role is Role.OWNER and becoming is not Role.OWNER
    if leaves and member_store.count_owners(session, account_id) == 1:
        raise LastOwner("an account keeps an owner", where="role", hint="make somebody else an owner first")
    return role


def _record(
    session: Session, action: str, target: str, account_id: str, *, by: Actor, at: datetime, **facts: str
) -> None:
    record(session, by=by, at=at, action=action, target=target, account_id=account_id, **facts)
