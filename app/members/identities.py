"""From what an OpenID Connect provider says about a person to the user here."""

from app.accounts import user_store
from app.accounts.account import NAME_CHARS_MAX, User, checked_name
from app.clock import Clock
from app.database import Database, Session
from app.errors import Invalid
from app.members import identity_store
from app.members.identity import IdentityConflict, IdentityUnbound, ProvenIdentity, vouched_email
from app.members.identity_binding import bind_in
from app.members.joining import SignUpClosed, add_user, open_own_account, person
from app.members.link_mail import LinkMail


class Identities:
    """Users by issuer and subject. An e-mail address binds a subject once, and never moves to another subject.

    It binds by itself to nobody who signs in with a password, and to no operator: whoever runs a provider, or gets hold
    of a mailbox there, would be that user. They bind their sign-in themselves, with the password.
    """

    def __init__(self, database: Database, clock: Clock, link_mail: LinkMail, *, plan_of_newcomers: str | None) -> None:
        self._database = database
        self._clock = clock
        self._link_mail = link_mail
        self._plan_key = plan_of_newcomers

    def user_of(self, identity: ProvenIdentity, *, zone: str, language: str, address: str | None) -> User:
        """Return the user; an unknown address gets one, and an account, where sign-up is open.

        Raises EmailUnverified, IdentityConflict, IdentityUnbound, SignUpClosed.
        """
        with self._database.transaction() as session:
            user_id = identity_store.find_identity(session, identity.issuer, identity.subject)
            user = user_store.find_user_by_id(session, user_id) if user_id else None
            user = user or self._bound(session, identity, zone, language, address)
        self._link_mail.wake_postman()
        return user

    def _bound(self, session: Session, identity: ProvenIdentity, zone: str, language: str, address: str | None) -> User:
        email, now = vouched_email(identity), self._clock.now()
        found = user_store.find_user(session, email)
        if found is not None:
            _refuse_takeover(session, identity, *found)
            self._link_mail.say_bound(session, email, identity.issuer, language=language, now=now)
        user = found[0] if found else self._newcomer(session, identity, email, zone, address)
        bind_in(session, identity, user, now=now, by=person(user, address))
        return user

    def _newcomer(self, session: Session, identity: ProvenIdentity, email: str, zone: str, address: str | None) -> User:
        if self._plan_key is None:
            raise SignUpClosed("sign-up is not open here", hint="ask an owner of an account to invite you")
        now = self._clock.now()
        user = add_user(session, email, None, now=now, address=address, issuer=identity.issuer)
        name = _account_name(identity.name, email)
        open_own_account(session, user, name, zone, self._plan_key, now=now, by=person(user, address))
        return user


def _refuse_takeover(session: Session, identity: ProvenIdentity, user: User, password_hash: str | None) -> None:
    if identity_store.has_identity(session, user.id, identity.issuer):
        raise IdentityConflict("this e-mail address belongs to another person's sign-in", hint="use a password")
    if user.operator or password_hash is not None:
        raise IdentityUnbound(
            "this e-mail address has a user here",
            hint="sign in with the password, and bind this one in your profile",
        )


def _account_name(name: str, email: str) -> str:
    try:
        return checked_name(name[:NAME_CHARS_MAX])
    except Invalid:
        return email.partition("@")[0]
