"""The use cases of changing one's address: ask with the password, confirm from the new mailbox."""

from dataclasses import replace

from app.accounts import user_store
from app.accounts.account import User
from app.accounts.email_address import normal_email
from app.audit_log.actor import Actor
from app.audit_log.store import record
from app.clock import Clock
from app.database import ConstraintViolated, Database
from app.members import link_store, session_store
from app.members.joining import person
from app.members.link_mail import LinkMail, make_link
from app.members.mailed_link import LinkPurpose, MailedLink, link_invalid
from app.members.membership import UserNotFound
from app.members.sign_in import SignIn
from app.members.token import digest_of


class EmailChange:
    """The old address works until the link in the mail to the new one is followed."""

    def __init__(self, database: Database, clock: Clock, sign_in: SignIn, link_mail: LinkMail) -> None:
        self._database = database
        self._clock = clock
        self._sign_in = sign_in
        self._link_mail = link_mail

    def request(self, user_id: str, new_email: str, password: str, *, by: Actor, language: str) -> None:
        """Mail a link to the new address, or, to one that is known, that it is; the answer is the same.

        Raises WrongCredentials, TooManyAttempts, EmailInvalid, UserNotFound.
        """
        new_email, now = normal_email(new_email), self._clock.now()
        with self._database.reading() as session:
            user = user_store.find_user_by_id(session, user_id)
        if user is None:
            raise UserNotFound(f"there is no user {user_id}", where="user")
        self._sign_in.user(user.email, password, address=by.address)
        self._link_mail.count(new_email, by.address)
        link = make_link(LinkPurpose.EMAIL_CHANGE, new_email, now, language=language, user_id=user_id)
        with self._database.transaction() as session:
            link_store.end_links_of(session, user_id, [LinkPurpose.EMAIL_CHANGE], now)
            if user_store.find_user(session, new_email) is None:
                self._link_mail.send(session, link)
            else:
                self._link_mail.say_known(session, link)
        self._link_mail.wake_postman()

    def link(self, token: str) -> MailedLink:
        """Return what a link to a new address stands for, without using it. Raises LinkInvalid."""
        with self._database.reading() as session:
            found = link_store.find_link(session, digest_of(token))
        if found is None or found.purpose is not LinkPurpose.EMAIL_CHANGE or not found.usable_at(self._clock.now()):
            raise link_invalid()
        return found

    def confirm(self, token: str, *, address: str | None) -> User:
        """Use the link: the new address takes the old one's place. Raises LinkInvalid, also where it was taken since.

        What was mailed to the old address ends, every session gets a new token, and the old address is told.
        """
        try:
            user = self._move(self.link(token), address)
        except ConstraintViolated:  # somebody has signed up with the address at this very moment
            raise link_invalid() from None
        self._link_mail.wake_postman()
        return user

    def _move(self, link: MailedLink, address: str | None) -> User:
        now = self._clock.now()
        with self._database.transaction() as session:
            user = user_store.lock_user(session, link.user_id) if link.user_id else None
            used = user is not None and link_store.use_link(session, link.id, now)
            if user is None or not used or not user_store.set_email(session, user.id, link.email):
                raise link_invalid()
            link_store.end_links_of(session, user.id, [LinkPurpose.RESET, LinkPurpose.EMAIL_CHANGE], now)
            session_store.ask_for_rotation(session, user.id)
            self._link_mail.say_changed(session, replace(link, used_at=now), user.email)
            by = person(user, address)
            record(session, by=by, at=now, action="email.changed", target=user.id, before=user.email, after=link.email)
        return replace(user, email=link.email)
