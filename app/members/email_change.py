"""The use cases of changing one's address: ask with the password, confirm from the new mailbox, and signed in."""

from dataclasses import replace

from app.accounts import user_store
from app.accounts.account import User
from app.accounts.email_address import normal_email
from app.audit_log.actor import Actor
from app.audit_log.store import record
from app.clock import Clock
from app.database import ConstraintViolated, Database
from app.errors import Forbidden
from app.members import link_store, session_store
from app.members.link_mail import LinkMail, make_link
from app.members.mailed_link import LinkPurpose, MailedLink, link_invalid
from app.members.sign_in import SignIn, require_standing


class LinkOfSomebodyElse(Forbidden):
    """The link changes the address of another user than the one who is signed in."""

    code = "link_of_somebody_else"


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
        checked = self._sign_in.again(user_id, password, address=by.address)
        self._link_mail.count(LinkPurpose.EMAIL_CHANGE, new_email, by.address)
        link = make_link(LinkPurpose.EMAIL_CHANGE, new_email, now, language=language, user_id=user_id)
        with self._database.transaction() as session:
            require_standing(session, checked)
            link_store.end_links_of(session, user_id, [LinkPurpose.EMAIL_CHANGE], now)
            self._link_mail.send_unless_known(session, link)
            record(session, by=by, at=now, action="email.change_requested", target=user_id)
        self._link_mail.wake_postman()

    def link(self, token: str) -> MailedLink:
        """Return what a link to a new address stands for, without using it. Raises LinkInvalid."""
        with self._database.reading() as session:
            return link_store.usable_link(session, token, [LinkPurpose.EMAIL_CHANGE], self._clock.now())

    def link_of(self, user_id: str, token: str) -> MailedLink:
        """Return it to the user who asked for it. Raises LinkInvalid, LinkOfSomebodyElse."""
        link = self.link(token)
        if link.user_id != user_id:
            raise LinkOfSomebodyElse("somebody else has asked for this link", hint="sign in as who asked for it")
        return link

    def confirm(self, token: str, *, by: Actor, keep_session: str | None) -> User:
        """Use the link, as the user who asked for it: the new address takes the old one's place.

        What was mailed to the old address ends, so does every session but the one that goes on, with a new token, and
        the old address is told. Raises LinkInvalid, also where the address was taken since, and LinkOfSomebodyElse.
        """
        try:
            user = self._move(self.link_of(by.id, token), by, keep_session)
        except ConstraintViolated:  # somebody has signed up with the address at this very moment
            raise link_invalid() from None
        self._link_mail.wake_postman()
        return user

    def _move(self, link: MailedLink, by: Actor, keep_session: str | None) -> User:
        now = self._clock.now()
        with self._database.transaction() as session:
            user = user_store.lock_user(session, by.id)
            used = user is not None and link_store.use_link(session, link.id, now)
            if user is None or not used or not user_store.set_email(session, user.id, link.email):
                raise link_invalid()
            link_store.end_links_of(session, user.id, [LinkPurpose.RESET, LinkPurpose.EMAIL_CHANGE], now)
            session_store.delete_other_sessions(session, user.id, keep_session)
            session_store.ask_for_rotation(session, user.id)
            self._link_mail.say_changed(session, replace(link, used_at=now), user.email)
            record(session, by=by, at=now, action="email.changed", target=user.id)
        return replace(user, email=link.email, credentials_version=user.credentials_version + 1)
