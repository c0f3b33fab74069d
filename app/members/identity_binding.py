"""The use cases of one's own sign-ins at a provider: bind one, with the password, and end it."""

import builtins
from datetime import datetime, timedelta

from app.accounts import user_store
from app.accounts.account import User
from app.audit_log.actor import Actor
from app.audit_log.store import record
from app.clock import Clock
from app.database import Database, Session
from app.members import identity_store, session_store
from app.members.identity import (
    BoundIdentity,
    IdentityConflict,
    IdentityNotFound,
    OnlySignIn,
    PasswordNeeded,
    ProvenIdentity,
)
from app.members.link_mail import LinkMail
from app.members.membership import UserNotFound
from app.members.sign_in import SignIn, require_standing

_PASSWORD_COUNTS_FOR = timedelta(minutes=10)  # as long as an attempt at the provider may take


class IdentityBinding:
    """A session alone binds nothing: whoever has got hold of one would have a way in that outlasts it."""

    def __init__(self, database: Database, clock: Clock, sign_in: SignIn, link_mail: LinkMail) -> None:
        self._database = database
        self._clock = clock
        self._sign_in = sign_in
        self._link_mail = link_mail

    def list(self, user_id: str) -> builtins.list[BoundIdentity]:
        """Return the providers that a user may sign in with."""
        with self._database.reading() as session:
            return identity_store.list_identities(session, user_id)

    def allow(self, user_id: str, password: str, *, session_id: str, address: str | None) -> None:
        """Let the session bind one sign-in within ten minutes.

        Raises WrongCredentials, TooManyAttempts, UserNotFound.
        """
        checked = self._sign_in.again(user_id, password, address=address)
        with self._database.transaction() as session:
            require_standing(session, checked)
            session_store.note_password(session, session_id, self._clock.now())

    def bind(self, identity: ProvenIdentity, *, session_id: str, by: Actor, language: str) -> User:
        """Bind the sign-in to the user who acts, and tell the user by mail.

        Raises PasswordNeeded, IdentityConflict, UserNotFound.
        """
        now = self._clock.now()
        with self._database.transaction() as session:
            user = user_store.lock_user(session, by.id)
            if user is None:
                raise UserNotFound(f"there is no user {by.id}", where="user")
            if not session_store.take_password(session, session_id, by.id, since=now - _PASSWORD_COUNTS_FOR):
                raise PasswordNeeded("the password was not given in this session", hint="begin in your profile")
            bind_in(session, identity, user, now=now, by=by)
            self._link_mail.say_bound(session, user.email, identity.issuer, language=language, now=now)
        self._link_mail.wake_postman()
        return user

    def unbind(self, issuer: str, *, by: Actor, keep_session: str | None) -> None:
        """End a sign-in of the user who acts, and every session but the one that goes on, with a new token.

        Raises IdentityNotFound, OnlySignIn.
        """
        with self._database.transaction() as session:
            user = user_store.lock_user(session, by.id)
            if user is None or not identity_store.delete_identities(session, user.id, issuer):
                raise IdentityNotFound(f"there is no sign-in at {issuer}", where="issuer")
            if user_store.password_hash_of(session, user.id) is None:
                raise OnlySignIn("this is the only way in", hint="choose a password first")
            user_store.renew_credentials(session, user.id)
            session_store.delete_other_sessions(session, user.id, keep_session)
            session_store.ask_for_rotation(session, user.id)
            record(session, by=by, at=self._clock.now(), action="identity.unbound", target=user.id, issuer=issuer)


def bind_in(session: Session, identity: ProvenIdentity, user: User, *, now: datetime, by: Actor) -> None:
    """Bind a sign-in to a user in the caller's transaction. Raises IdentityConflict."""
    taken = identity_store.has_identity(session, user.id, identity.issuer)
    if taken or not identity_store.insert_identity(session, identity.issuer, identity.subject, user.id, now):
        raise IdentityConflict("this sign-in or this user is bound already", hint="end the other sign-in first")
    record(session, by=by, at=now, action="identity.bound", target=user.id, issuer=identity.issuer)
