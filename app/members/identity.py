"""A person as an OpenID Connect provider knows it, and what can be wrong with that."""

import unicodedata
from dataclasses import dataclass
from datetime import datetime

from app.accounts.email_address import folded_email
from app.errors import Conflict, Forbidden, NotFound


class EmailUnverified(Forbidden):
    """The provider does not vouch for the person's e-mail address."""

    code = "email_unverified"


class IdentityConflict(Conflict):
    """The user is somebody else to the provider, or the person is another user here."""

    code = "identity_conflict"


class IdentityUnbound(Conflict):
    """The address has a user here who has not said that the sign-in at the provider is the same person."""

    code = "identity_unbound"


class IdentityNotFound(NotFound):
    """The user has no such sign-in."""

    code = "identity_not_found"


class OnlySignIn(Conflict):
    """Without this sign-in the user would have no way in."""

    code = "only_sign_in"


class PasswordNeeded(Forbidden):
    """The session has not given the password within the last minutes."""

    code = "password_needed"


@dataclass(frozen=True, slots=True)
class ProvenIdentity:
    """A person as a provider's signed token describes it; `email` only where the provider has verified it."""

    issuer: str
    subject: str
    email: str | None
    name: str


@dataclass(frozen=True, slots=True)
class BoundIdentity:
    """A provider that a user may sign in with."""

    issuer: str
    since: datetime


def vouched_email(identity: ProvenIdentity) -> str:
    """Return the address that the provider vouches for, as it is stored. Raises EmailUnverified.

    Two addresses that look alike belong to two people: one that would change by normalizing is refused.
    """
    email = folded_email(identity.email or "")
    if email is None or unicodedata.normalize("NFC", email) != email:
        raise EmailUnverified("the provider does not vouch for an e-mail address", hint="verify it there first")
    return email
