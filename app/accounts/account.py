"""Accounts, keys, users, and the principal that a request acts as."""

import re
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from enum import StrEnum

from app.accounts.key_secret import refuse_secret
from app.accounts.rate_limits import UNLIMITED, RateLimits
from app.errors import Forbidden, Invalid

NAME_CHARS_MAX = 100
_UNPRINTABLE = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff]")
_MODEL_NAME = re.compile(r"[!-~]{1,100}")  # no blank: the names of a key's models are stored as words


class Scope(StrEnum):
    """What a key may do; `admin` only on keys of operators."""

    PREDICT = "predict"
    USAGE_READ = "usage:read"
    BILLING_READ = "billing:read"
    KEYS_WRITE = "keys:write"
    ADMIN = "admin"


class KeyPurpose(StrEnum):
    """Who uses a key: a customer's program, or the playground of the portal, whose key has no known secret."""

    API = "api"
    PLAYGROUND = "playground"


DEFAULT_SCOPES = frozenset({Scope.PREDICT, Scope.USAGE_READ, Scope.BILLING_READ})


class ScopeMissing(Forbidden):
    """The key is valid and lacks the scope."""

    code = "scope_missing"


class ModelNotAllowed(Forbidden):
    """The key is limited to other models."""

    code = "model_not_allowed"


@dataclass(frozen=True, slots=True)
class Account:
    """Who pays: one currency, one plan at a time, periods from `anchor_day` at local midnight of `zone`.

    `closed_through` is the end of the last period whose invoice was issued: no usage is recorded before it. `gated`
    says that it has a budget or a prepaid plan: its calls pass the gate before they run.
    """

    id: str
    name: str
    currency: str
    zone: str
    anchor_day: int
    created_at: datetime
    closed_through: datetime | None = None
    gated: bool = False


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A credential of an account.

    `hint` is what may be shown of the secret: its prefix and last four characters; `models` limits the key to those,
    empty means all; `user_id` is the operator behind an `admin` key; `first_key_id` is the key that this one goes back
    to by rotations, None where it is the first itself.
    """

    id: str
    account_id: str
    name: str
    hint: str
    live: bool
    scopes: frozenset[Scope]
    models: frozenset[str]
    created_at: datetime
    expires_at: datetime | None = None
    revoked_at: datetime | None = None
    user_id: str | None = None
    purpose: KeyPurpose = KeyPurpose.API
    first_key_id: str | None = None

    @property
    def budget_key_id(self) -> str:
        """Under which key its budgets are kept: a key and its successors share them, also while both work."""
        return self.first_key_id or self.id

    @property
    def principal(self) -> "Principal":
        """Whom a request with this key acts as."""
        return Principal(self.account_id, self.id, self.live, self.scopes, self.models, first_key_id=self.first_key_id)

    def usable_at(self, instant: datetime) -> bool:
        """Tell whether the key is neither revoked nor expired."""
        return self.revoked_at is None and (self.expires_at is None or instant < self.expires_at)


@dataclass(frozen=True, slots=True)
class User:
    """A person. Operators run the installation.

    `credentials_version` tells whether what the person proved a moment ago still stands; it is no part of who it is.
    """

    id: str
    email: str
    operator: bool
    created_at: datetime
    credentials_version: int = field(default=0, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Principal:
    """The authenticated caller of one request: immutable facts of its key (or of an operator who signed in).

    `gated` says whether its calls may need a hold; `limits` are the key's, `account_limits` those of all its keys.
    """

    account_id: str
    key_id: str
    live: bool
    scopes: frozenset[Scope]
    models: frozenset[str] = frozenset()
    gated: bool = False
    limits: RateLimits = UNLIMITED
    account_limits: RateLimits = UNLIMITED
    first_key_id: str | None = None

    @property
    def budget_key_id(self) -> str:
        """Under which key the budgets are kept that its calls count against."""
        return self.first_key_id or self.key_id

    def require(self, scope: Scope) -> None:
        """Raise ScopeMissing where the key lacks the scope."""
        if scope not in self.scopes:
            held = ", ".join(sorted(self.scopes)) or "none"
            raise ScopeMissing(
                f"this needs the scope {scope}; the key has: {held}", hint="use a key that was created with the scope"
            )

    def require_model(self, model: str) -> None:
        """Raise ModelNotAllowed where the key is limited to other models."""
        if self.models and model not in self.models:
            raise ModelNotAllowed(
                f"this key may not call {model}", hint=f"it is limited to: {', '.join(sorted(self.models))}"
            )


class NameInvalid(Invalid):
    """A name is empty, too long, or has more than one line."""

    code = "name_invalid"


def checked_name(name: str, *, where: str = "name") -> str:
    """Return a name without surrounding blanks. Raises NameInvalid for an empty, overlong or odd one, KeyMisplaced."""
    name = name.strip()
    if not name or len(name) > NAME_CHARS_MAX or _UNPRINTABLE.search(name):
        raise NameInvalid(
            f"a name has 1 to {NAME_CHARS_MAX} characters on one line", where=where, hint="choose another name"
        )
    refuse_secret(name, where=where)
    return name


def checked_models(names: frozenset[str], *, where: str = "models") -> frozenset[str]:
    """Return the names of models that a key is limited to. Raises Invalid for what cannot name one, KeyMisplaced."""
    for name in names:
        if not _MODEL_NAME.fullmatch(name):
            raise Invalid(f"{name!r} cannot name a model", where=where, hint="GET /v1/models lists the names")
        refuse_secret(name, where=where)
    return names


class ScopesMissing(Invalid):
    """A key is to be made that may do nothing."""

    code = "scopes_missing"


def checked_scopes(scopes: frozenset[Scope]) -> frozenset[Scope]:
    """Return what a new key may do. Raises ScopesMissing where that is nothing."""
    if not scopes:
        raise ScopesMissing("the key could do nothing", where="scopes", hint="name a scope, such as predict")
    return scopes


def parse_scopes(names: list[str], *, where: str = "scopes") -> frozenset[Scope]:
    """Return the scopes of those names. Raises Invalid for an unknown one."""
    known = {scope.value for scope in Scope}
    for index, name in enumerate(names):
        if name not in known:
            raise Invalid(
                f"{name!r} is not a scope", where=f"{where}[{index}]", hint=f"choose from: {', '.join(sorted(known))}"
            )
    return frozenset(Scope(name) for name in names)


class ExpiryPast(Invalid):
    """A key is to expire in the past, or at an instant without a zone."""

    code = "expiry_past"


def checked_expiry(expires_at: datetime | None, now: datetime) -> datetime | None:
    """Return the expiry. Raises ExpiryPast for one that is not in the future or lacks a zone."""
    if expires_at is not None and (expires_at.tzinfo is None or expires_at <= now + timedelta(seconds=1)):
        raise ExpiryPast(
            "expires_at lies in the past or has no zone", where="expires_at", hint="write e.g. 2027-01-31T00:00:00Z"
        )
    return expires_at
