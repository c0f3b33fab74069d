"""The use cases of coming in: ask for a link, follow it, choose a password, and be in an account.

A password is chosen behind the link and nowhere else: nobody can prepare a user for somebody else's address.
"""

from typing import Literal

from app.accounts import user_store
from app.accounts.account import User, checked_name
from app.accounts.email_address import normal_email
from app.accounts.password import hash_password
from app.accounts.store import lock_account
from app.clock import Clock
from app.database import Database, Session
from app.errors import InvariantViolation
from app.members import link_store
from app.members.inviting import inviter_stands
from app.members.joining import SignUpClosed, add_user, open_own_account, person
from app.members.link_mail import LinkMail, make_link
from app.members.mailed_link import LinkPurpose, MailedLink, link_invalid
from app.members.member import Joined
from app.members.seat import take_seat
from app.members.sign_in import SignIn, require_standing
from app.period import parse_zone

_JOINING = (LinkPurpose.SIGN_UP, LinkPurpose.INVITATION)
Policy = Literal["open", "invitation", "closed"]


class SignUp:
    """Newcomers. `policy` is who may come: everybody, who is invited, or nobody."""

    def __init__(
        self,
        database: Database,
        clock: Clock,
        sign_in: SignIn,
        link_mail: LinkMail,
        *,
        policy: Policy,
        default_plan: str | None,
    ) -> None:
        self._database = database
        self._clock = clock
        self._sign_in = sign_in
        self._link_mail = link_mail
        self._plan_key = default_plan
        self._invitations_open = policy != "closed"
        self.policy: Policy = "closed" if policy == "open" and default_plan is None else policy

    @property
    def open_to_all(self) -> bool:
        """Tell whether anybody may open an account."""
        return self.policy == "open"

    def request(self, email: str, account_name: str, *, zone: str, language: str, address: str | None) -> None:
        """Mail a link to that address, or, to one that is known, that it is.

        The answer is the same. Raises SignUpClosed, EmailInvalid, Invalid for a bad name or zone, TooManyAttempts.
        """
        self._require_open()
        email, account_name, now = normal_email(email), checked_name(account_name, where="account"), self._clock.now()
        parse_zone(zone)
        self._link_mail.count(LinkPurpose.SIGN_UP, email, address)
        link = make_link(LinkPurpose.SIGN_UP, email, now, language=language, zone=zone, account_name=account_name)
        with self._database.transaction() as session:
            self._link_mail.send_unless_known(session, link)
        self._link_mail.wake_postman()

    def link(self, token: str) -> MailedLink:
        """Return what a link to join stands for, without using it. Raises LinkInvalid."""
        with self._database.reading() as session:
            return link_store.usable_link(session, token, _JOINING, self._clock.now())

    def has_user(self, link: MailedLink) -> bool:
        """Tell whether the link's address has a user, who joins with the password that is known, not with a new one."""
        with self._database.reading() as session:
            return user_store.find_user(session, link.email) is not None

    def join(self, token: str, password: str, *, address: str | None) -> Joined:
        """Use the link: a new user chooses the password, an existing one gives it. All of it happens, or nothing.

        Raises LinkInvalid, PasswordUnfit, WrongCredentials, TooManyAttempts, SignUpClosed, AlreadyMember, EmailTaken.
        """
        link = self.link(token)
        known = self._sign_in.user(link.email, password, address=address) if self.has_user(link) else None
        hashed = None if known else hash_password(password)  # slow on purpose, so before the transaction
        return self._enter(link, known, hashed, address)

    def accept(self, token: str, user: User, *, address: str | None) -> Joined:
        """Use the link as a user who is signed in: it must have been mailed to that user's address.

        Raises LinkInvalid, WrongCredentials, SignUpClosed, AlreadyMember.
        """
        link = self.link(token)
        if link.email != user.email:
            raise link_invalid()
        return self._enter(link, user, None, address)

    def _enter(self, link: MailedLink, known: User | None, hashed: str | None, address: str | None) -> Joined:
        if link.purpose is LinkPurpose.SIGN_UP or (known is None and not self._invitations_open):
            self._require_open()
        now = self._clock.now()
        with self._database.transaction() as session:
            if link.account_id is not None:  # whoever puts the inviter out takes turns with this
                lock_account(session, link.account_id)
            known = require_standing(session, known) if known else None
            if not link_store.use_link(session, link.id, now) or not inviter_stands(session, link):
                raise link_invalid()
            user = known or add_user(session, link.email, hashed, now=now, address=address)
            link_store.end_links_to(session, link.email, LinkPurpose.SIGN_UP, now)
            return self._take_seat(session, link, user, address)

    def _take_seat(self, session: Session, link: MailedLink, user: User, address: str | None) -> Joined:
        now, by = self._clock.now(), person(user, address)
        if link.purpose is LinkPurpose.SIGN_UP:
            if link.account_name is None or self._plan_key is None:
                raise InvariantViolation(f"the sign-up {link.id} has no account to open")
            account_id = open_own_account(session, user, link.account_name, link.zone, self._plan_key, now=now, by=by)
            return Joined(user, account_id, new_account=True)
        if link.account_id is None or link.role is None:
            raise InvariantViolation(f"the invitation {link.id} leads to no account")
        take_seat(session, link.account_id, user, link.role, now=now, by=by, invitation=link.id)
        return Joined(user, link.account_id, new_account=False)

    def _require_open(self) -> None:
        if not self.open_to_all:
            raise SignUpClosed("sign-up is not open here", hint="ask an owner of an account to invite you")
