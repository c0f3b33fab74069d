"""Use cases of accounts and keys: create, list, rotate, revoke."""

import re
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property

from pwdlib import PasswordHash

from app.accounts import store
from app.accounts.account import (
    DEFAULT_SCOPES,
    Account,
    ApiKey,
    Scope,
    User,
    checked_expiry,
    checked_models,
    checked_name,
)
from app.accounts.key_secret import digest_of, hint_of, new_secret
from app.clock import Clock
from app.database import Database
from app.errors import Conflict, Invalid, NotFound
from app.ids import new_id
from app.money import parse_currency
from app.period import parse_zone

PASSWORD_CHARS_MIN = 12
GRACE_MAX = timedelta(days=7)
_EMAIL = re.compile(r"[^@\s\x00-\x1f\x7f\ud800-\udfff]{1,64}@[^@\s\x00-\x1f\x7f\ud800-\udfff]{1,190}")


class EmailTaken(Conflict):
    """A user with this address exists."""

    code = "email_taken"


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key that was just made, with its secret, which is shown this once."""

    key: ApiKey
    secret: str


class Accounts:
    """Accounts, their keys, and the people who run the installation."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._passwords = PasswordHash.recommended()

    def create_account(self, name: str, *, currency: str = "USD", zone: str = "UTC", anchor_day: int = 1) -> Account:
        """Create an account. Raises Invalid for a bad name, currency, time zone or anchor day."""
        parse_zone(zone)
        if not 1 <= anchor_day <= 31:
            raise Invalid(f"{anchor_day} is not a day of the month", where="anchor_day", hint="choose 1 to 31")
        now = self._clock.now()
        account = Account(
            new_id("acct", now), checked_name(name), parse_currency(currency), zone, anchor_day, created_at=now
        )
        with self._database.transaction() as session:
            store.insert_account(session, account)
        return account

    def get_account(self, account_id: str) -> Account:
        """Return an account. Raises NotFound."""
        with self._database.reading() as session:
            account = store.find_account(session, account_id)
        if account is None:
            raise NotFound(f"there is no account {account_id}", where="account")
        return account

    def list_accounts(self, after: str = "", limit: int | None = None) -> list[Account]:
        """Return accounts in order of creation."""
        with self._database.reading() as session:
            return store.list_accounts(session, after, limit)

    def create_key(
        self,
        account_id: str,
        *,
        name: str = "default",
        live: bool = True,
        scopes: frozenset[Scope] = DEFAULT_SCOPES,
        models: frozenset[str] = frozenset(),
        expires_at: datetime | None = None,
        operator_email: str | None = None,
    ) -> NewKey:
        """Make a key; the scope `admin` needs `operator_email`, an operator's address. Raises Invalid, NotFound."""
        now = self._clock.now()
        secret = new_secret(live=live)
        key = ApiKey(
            id=new_id("key", now),
            account_id=account_id,
            name=checked_name(name),
            hint=hint_of(secret),
            live=live,
            scopes=scopes,
            models=checked_models(models),
            created_at=now,
            expires_at=checked_expiry(expires_at, now),
        )
        with self._database.transaction() as session:
            if store.find_account(session, account_id) is None:
                raise NotFound(f"there is no account {account_id}", where="account")
            user = store.find_user(session, _normal_email(operator_email)) if operator_email else None
            if Scope.ADMIN in scopes and not (user and user[0].operator):
                raise Invalid(
                    "the scope admin is given only to keys of operators",
                    where="scopes",
                    hint="name the operator, or leave the scope out",
                )
            key = replace(key, user_id=user[0].id if user else None)
            store.insert_key(session, key, digest=digest_of(secret))
            store.record_change(session)
        return NewKey(key, secret)

    def list_keys(self, account_id: str, after: str = "", limit: int | None = None) -> list[ApiKey]:
        """Return the account's keys in order of creation, revoked ones included."""
        with self._database.reading() as session:
            return store.list_keys(session, account_id, after, limit)

    def get_key(self, account_id: str, key_id: str) -> ApiKey:
        """Return a key of the account. Raises NotFound."""
        with self._database.reading() as session:
            return _found(store.find_key(session, account_id, key_id), key_id)

    def revoke_key(self, account_id: str, key_id: str) -> ApiKey:
        """Revoke a key; it is refused everywhere within a second. Doing it again changes nothing. Raises NotFound."""
        with self._database.transaction() as session:
            key = _found(store.find_key(session, account_id, key_id), key_id)
            if key.revoked_at is None:
                key = replace(key, revoked_at=self._clock.now())
                store.end_key(session, key.id, expires_at=key.expires_at, revoked_at=key.revoked_at)
                store.record_change(session)
        return key

    def rotate_key(self, account_id: str, key_id: str, *, grace: timedelta) -> NewKey:
        """Make a successor with the same rights; the old key works for `grace` more, never past its own expiry."""
        if not timedelta() <= grace <= GRACE_MAX:
            raise Invalid("the grace is 0 to 604800 seconds", where="grace_s", hint="a week is the longest")
        now = self._clock.now()
        with self._database.transaction() as session:
            old = _found(store.find_key(session, account_id, key_id), key_id)
            if not old.usable_at(now):
                raise Conflict(f"{key_id} has expired or was revoked", hint="create a new key instead")
            secret = new_secret(live=old.live)
            new = replace(old, id=new_id("key", now), hint=hint_of(secret), created_at=now)
            store.insert_key(session, new, digest=digest_of(secret))
            ends_at = min(now + grace, old.expires_at) if old.expires_at else now + grace
            store.end_key(session, old.id, expires_at=ends_at, revoked_at=None)
            store.record_change(session)
        return NewKey(new, secret)

    def create_user(self, email: str, password: str, *, operator: bool) -> User:
        """Create a user. Raises Invalid for a bad address or short password, EmailTaken."""
        hashed = self._hash(password)
        now = self._clock.now()
        user = User(new_id("user", now), _normal_email(email), operator, now)
        with self._database.transaction() as session:
            if not store.insert_user(session, user, password_hash=hashed):
                raise EmailTaken(f"{user.email} has an account already", where="email")
        return user

    def set_password(self, email: str, password: str) -> User:
        """Give a user a new password. Raises Invalid for a short one, NotFound."""
        hashed = self._hash(password)
        with self._database.transaction() as session:
            found = store.find_user(session, _normal_email(email))
            if found is None:
                raise NotFound(f"there is no user {email}", where="email")
            store.set_password_hash(session, found[0].id, hashed)
        return found[0]

    def has_operator(self) -> bool:
        """Tell whether anybody can run this installation."""
        with self._database.reading() as session:
            return store.operator_exists(session)

    def operator_with(self, email: str, password: str) -> User | None:
        """Return the operator with these credentials, or None; takes as long for an unknown address."""
        address = email.strip().lower()
        decoy_hash = self._decoy_hash  # before the lookup: the first call pays for it, whichever address it names
        with self._database.reading() as session:
            found = store.find_user(session, address) if _EMAIL.fullmatch(address) else None
        matches = self._passwords.verify(password, found[1] if found else decoy_hash)
        return found[0] if found and matches and found[0].operator else None

    @cached_property
    def _decoy_hash(self) -> str:
        return self._passwords.hash("no such user")

    def _hash(self, password: str) -> str:
        if len(password) < PASSWORD_CHARS_MIN:
            raise Invalid(
                f"a password has {PASSWORD_CHARS_MIN} characters or more", where="password", hint="use a longer one"
            )
        return self._passwords.hash(password)


def _found(key: ApiKey | None, key_id: str) -> ApiKey:
    if key is None:
        raise NotFound(f"there is no key {key_id}", where="key")
    return key


def _normal_email(email: str) -> str:
    email = email.strip().lower()
    if not _EMAIL.fullmatch(email):
        raise Invalid(f"{email!r} is not an e-mail address", where="email", hint="write NAME@HOST")
    return email
