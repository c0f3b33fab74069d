"""The use cases of passwords: reset by mail, change, and set by whoever runs the installation."""

from datetime import datetime

from app.accounts import user_store
from app.accounts.account import User
from app.accounts.email_address import normal_email
from app.accounts.password import hash_password
from app.audit_log.actor import INSTALLATION, Actor
from app.audit_log.store import record
from app.clock import Clock
from app.database import Database, Session
from app.members import link_store, session_store
from app.members.joining import person
from app.members.link_mail import LinkMail, make_link
from app.members.mailed_link import LinkPurpose, MailedLink, link_invalid
from app.members.membership import UserNotFound
from app.members.sign_in import SignIn, require_standing


class Passwords:
    """A new password ends the user's other sessions and every link that could set yet another one."""

    def __init__(self, database: Database, clock: Clock, sign_in: SignIn, link_mail: LinkMail) -> None:
        self._database = database
        self._clock = clock
        self._sign_in = sign_in
        self._link_mail = link_mail

    def request_reset(self, email: str, *, language: str, address: str | None) -> None:
        """Mail a link to the user of that address; without one nothing is mailed, and the answer is the same.

        It replaces older links. An address that was mailed enough links within a quarter of an hour gets no more, and
        the last one stays good: nobody keeps a person from a new password by asking often. Raises EmailInvalid, and
        TooManyAttempts where one client asks for too many.
        """
        email, now = normal_email(email), self._clock.now()
        if not self._link_mail.admits(LinkPurpose.RESET, email, address):
            return
        with self._database.transaction() as session:
            found = user_store.find_user(session, email)
            link_store.end_links_to(session, email, LinkPurpose.RESET, now)
            user_id = found[0].id if found else None
            link = make_link(LinkPurpose.RESET, email, now, language=language, user_id=user_id)
            if found:
                self._link_mail.send(session, link)
            else:
                self._link_mail.keep_unsent(session, link)
        self._link_mail.wake_postman()

    def link(self, token: str) -> MailedLink:
        """Return what a link to a new password stands for, without using it. Raises LinkInvalid."""
        with self._database.reading() as session:
            return link_store.usable_link(session, token, [LinkPurpose.RESET], self._clock.now())

    def reset(self, token: str, password: str, *, address: str | None) -> User:
        """Use the link and set the password; the user is signed out everywhere. Raises LinkInvalid, PasswordUnfit."""
        link = self.link(token)
        hashed, now = hash_password(password), self._clock.now()
        with self._database.transaction() as session:
            user = user_store.lock_user(session, link.user_id) if link.user_id else None
            if user is None or user.email != link.email or not link_store.use_link(session, link.id, now):
                raise link_invalid()
            by = person(user, address)
            _set(session, user, hashed, now, by=by, action="password.reset", kept_session=None)
        return user

    def change(self, user_id: str, old: str, new: str, *, by: Actor, keep_session: str | None) -> None:
        """Change one's own password; `keep_session` is the session that goes on, with a new token.

        Raises WrongCredentials for a wrong old one, TooManyAttempts, PasswordUnfit, UserNotFound.
        """
        checked = self._sign_in.again(user_id, old, address=by.address)
        hashed, now = hash_password(new), self._clock.now()
        with self._database.transaction() as session:
            user = require_standing(session, checked)
            _set(session, user, hashed, now, by=by, action="password.changed", kept_session=keep_session)

    def assign(self, email: str, password: str, *, by: Actor = INSTALLATION) -> User:
        """Set a user's password without asking for the old one. Raises UserNotFound, PasswordUnfit, EmailInvalid."""
        email, hashed, now = normal_email(email), hash_password(password), self._clock.now()
        with self._database.transaction() as session:
            found = user_store.find_user(session, email)
            if found is None:
                raise UserNotFound(f"there is no user {email}", where="email", hint="faremeter user create EMAIL")
            _set(session, found[0], hashed, now, by=by, action="password.set", kept_session=None)
        return found[0]

    def has_password(self, user_id: str) -> bool:
        """Tell whether the user signs in here, and not only at an OpenID Connect provider."""
        with self._database.reading() as session:
            return user_store.password_hash_of(session, user_id) is not None


def _set(
    session: Session, user: User, hashed: str, now: datetime, *, by: Actor, action: str, kept_session: str | None
) -> None:
    """Store the hash; end the other sessions, and the links that an intruder may have asked for."""
    user_store.set_password_hash(session, user.id, hashed)
    session_store.delete_other_sessions(session, user.id, kept_session)
    if kept_session is not None:
        session_store.ask_for_rotation_of(session, kept_session)
    link_store.end_links_of(session, user.id, [LinkPurpose.RESET, LinkPurpose.EMAIL_CHANGE], now)
    record(session, by=by, at=now, action=action, target=user.id)
