"""From what an OpenID Connect provider says about a person to the user here."""

from dataclasses import dataclass

from app.accounts import user_store
from app.accounts.account import NAME_CHARS_MAX, User, checked_name
from app.accounts.email_address import folded_email
from app.audit_log.store import record
from app.clock import Clock
from app.database import Database, Session
from app.errors import Conflict, Forbidden, Invalid
from app.members import identity_store
from app.members.joining import SignUpClosed, add_user, open_own_account, person


class EmailUnverified(Forbidden):
    """The provider does not vouch for the person's e-mail address."""

    code = "email_unverified"


class IdentityConflict(Conflict):
    """The address belongs to a user whom the provider knows as somebody else."""

    code = "identity_conflict"


@dataclass(frozen=True, slots=True)
class ProvenIdentity:
    """A person as a provider's signed token describes it; `email` only where the provider has verified it."""

    issuer: str
    subject: str
    email: str | None
    name: str


class Identities:
    """Users by issuer and subject. An e-mail address binds a subject once, and never moves to another subject."""

    def __init__(self, database: Database, clock: Clock, *, plan_of_newcomers: str | None) -> None:
        self._database = database
        self._clock = clock
        self._plan_key = plan_of_newcomers

    def user_of(self, identity: ProvenIdentity, *, zone: str, address: str | None) -> User:
        """Return the user; an unknown address gets one, and an account, where sign-up is open.

        Raises EmailUnverified, IdentityConflict, SignUpClosed.
        """
        with self._database.transaction() as session:
            user_id = identity_store.find_identity(session, identity.issuer, identity.subject)
            known = user_store.find_user_by_id(session, user_id) if user_id else None
            return known or self._bound(session, identity, zone, address)

    def _bound(self, session: Session, identity: ProvenIdentity, zone: str, address: str | None) -> User:
        email, now = folded_email(identity.email or ""), self._clock.now()
        if email is None:
            raise EmailUnverified("the provider does not vouch for an e-mail address", hint="verify it there first")
        found = user_store.find_user(session, email)
        if found is not None and identity_store.has_identity(session, found[0].id, identity.issuer):
            raise IdentityConflict("this e-mail address belongs to another person's sign-in", hint="use a password")
        user = found[0] if found else self._newcomer(session, identity, email, zone, address)
        if not identity_store.insert_identity(session, identity.issuer, identity.subject, user.id, now):
            raise IdentityConflict("this sign-in is under way twice", hint="try again")
        by = person(user, address)
        record(session, by=by, at=now, action="identity.bound", target=user.id, issuer=identity.issuer)
        return user

    def _newcomer(self, session: Session, identity: ProvenIdentity, email: str, zone: str, address: str | None) -> User:
        if self._plan_key is None:
            raise SignUpClosed("sign-up is not open here", hint="ask an owner of an account to invite you")
        now = self._clock.now()
        user = add_user(session, email, None, now=now, address=address, issuer=identity.issuer)
        name = _account_name(identity.name, email)
        open_own_account(session, user, name, zone, self._plan_key, now=now, by=person(user, address))
        return user


def _account_name(name: str, email: str) -> str:
    try:
        return checked_name(name[:NAME_CHARS_MAX])
    except Invalid:
        return email.partition("@")[0]
