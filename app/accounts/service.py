"""Use cases of accounts and keys: create, list, rotate, revoke."""

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from app.accounts import caller_store, rate_limit_store, store, user_store
from app.accounts.account import (
    DEFAULT_SCOPES,
    Account,
    ApiKey,
    KeyPurpose,
    Principal,
    Scope,
    User,
    checked_expiry,
    checked_models,
    checked_name,
    checked_scopes,
)
from app.accounts.bounded_key import refuse_unbounded_key
from app.accounts.email_address import normal_email
from app.accounts.first_key import make_first_key
from app.accounts.key_issue import issue_key, refuse_repeat
from app.accounts.key_secret import digest_of, hint_of, new_secret
from app.accounts.limits_service import record_limits
from app.accounts.password import hash_password
from app.accounts.playground_key import make_playground_key
from app.accounts.rate_limits import UNLIMITED, RateLimits
from app.audit_log.actor import INSTALLATION, Actor
from app.audit_log.store import record
from app.clock import Clock
from app.database import Database, Session
from app.errors import Conflict, Invalid, NotFound
from app.ids import new_id
from app.money import parse_currency
from app.period import parse_zone

GRACE_MAX = timedelta(days=7)


class KeyEnded(Conflict):
    """The key has expired or was revoked."""

    code = "key_ended"


class KeyOfPlayground(Conflict):
    """The key is the playground's own: nobody gets to see its secret."""

    code = "key_of_playground"


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

    def create_account(
        self,
        name: str,
        *,
        currency: str = "USD",
        zone: str = "UTC",
        anchor_day: int = 1,
        by: Actor = INSTALLATION,
    ) -> Account:
        """Create an account. Raises Invalid for a bad name, currency, time zone or anchor day."""
        account = new_account(name, currency=currency, zone=zone, anchor_day=anchor_day, now=self._clock.now())
        with self._database.transaction() as session:
            add_account(session, account, by=by)
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

    def accounts(self, account_ids: Collection[str]) -> dict[str, Account]:
        """Return the accounts of those ids; an unknown id is left out."""
        with self._database.reading() as session:
            return store.find_accounts(session, account_ids)

    def rename(self, account_id: str, name: str, *, by: Actor) -> None:
        """Give an account another name; the one it has changes nothing. Raises NameInvalid, NotFound."""
        name = checked_name(name)
        with self._database.transaction() as session:
            before = store.lock_account(session, account_id).name
            if name == before:
                return
            store.set_account_name(session, account_id, name)
            facts = {"target": account_id, "account_id": account_id, "before": before, "after": name}
            record(session, by=by, at=self._clock.now(), action="account.renamed", **facts)

    def create_key(
        self,
        account_id: str,
        *,
        name: str = "default",
        live: bool = True,
        scopes: frozenset[Scope] = DEFAULT_SCOPES,
        models: frozenset[str] = frozenset(),
        limits: RateLimits = UNLIMITED,
        expires_at: datetime | None = None,
        operator_email: str | None = None,
        creation_id: str | None = None,
        asking_key_id: str | None = None,
        by: Actor = INSTALLATION,
    ) -> NewKey:
        """Make a key, once for each `creation_id`; the scope `admin` needs `operator_email`, an operator's address.

        `asking_key_id` is where the budgets of the key are kept that asks for this one. Raises Invalid, ScopesMissing,
        KeyMadeAlready, NotFound, BudgetLoosened.
        """
        now = self._clock.now()
        secret = new_secret(live=live)
        key = ApiKey(
            id=new_id("key", now),
            account_id=account_id,
            name=checked_name(name),
            hint=hint_of(secret),
            live=live,
            scopes=checked_scopes(scopes),
            models=checked_models(models),
            created_at=now,
            expires_at=checked_expiry(expires_at, now),
        )
        with self._database.transaction() as session:
            refuse_repeat(session, account_id, creation_id)
            refuse_unbounded_key(session, account_id, asking_key_id)
            user = user_store.find_user(session, normal_email(operator_email)) if operator_email else None
            if Scope.ADMIN in scopes and not (user and user[0].operator):
                raise Invalid(
                    "the scope admin is given only to keys of operators",
                    where="scopes",
                    hint="name the operator, or leave the scope out",
                )
            key = replace(key, user_id=user[0].id if user else None)
            issue_key(session, key, secret, by=by, creation_id=creation_id)
            if not limits.none:
                rate_limit_store.set_limits(session, key.id, limits)
                record_limits(session, key.id, limits, account_id=account_id, by=by, at=now)
        return NewKey(key, secret)

    def list_keys(self, account_id: str, after: str = "", limit: int | None = None) -> list[ApiKey]:
        """Return the account's keys in order of creation, revoked ones included."""
        with self._database.reading() as session:
            return store.list_keys(session, account_id, after, limit)

    def newest_keys(self, account_id: str, *, usable: bool, limit: int) -> list[ApiKey]:
        """Return the account's newest keys first: those that work now, or those that have ended."""
        with self._database.reading() as session:
            return store.newest_keys(session, account_id, self._clock.now(), usable=usable, limit=limit)

    def count_usable_keys(self, account_id: str) -> int:
        """Return how many of the account's keys work now."""
        with self._database.reading() as session:
            return store.count_usable_keys(session, account_id, self._clock.now())

    def count_own_keys(self, account_id: str) -> int:
        """Return how many keys work now that programs of the account have: not the playground's."""
        with self._database.reading() as session:
            return store.count_usable_keys(session, account_id, self._clock.now(), purposes=[KeyPurpose.API])

    def keys(self, account_id: str, key_ids: Collection[str]) -> dict[str, ApiKey]:
        """Return the account's keys of those ids; an unknown id is left out."""
        with self._database.reading() as session:
            return store.find_keys(session, account_id, key_ids)

    def has_api_key(self, account_id: str) -> bool:
        """Tell whether the account ever had a key whose secret somebody knows."""
        with self._database.reading() as session:
            return store.has_api_key(session, account_id)

    def get_key(self, account_id: str, key_id: str) -> ApiKey:
        """Return a key of the account. Raises NotFound."""
        with self._database.reading() as session:
            return _found(store.find_key(session, account_id, key_id), key_id)

    def revoke_key(self, account_id: str, key_id: str, *, by: Actor = INSTALLATION) -> ApiKey:
        """Revoke a key; it is refused everywhere within a second. Doing it again changes nothing. Raises NotFound."""
        with self._database.transaction() as session:
            key = _found(store.find_key(session, account_id, key_id), key_id)
            if key.revoked_at is None:
                now = self._clock.now()
                key = replace(key, revoked_at=now)
                store.end_key(session, key.id, expires_at=key.expires_at, revoked_at=now)
                store.record_change(session)
                _record_key(session, "key.revoked", key, by=by, at=now)
        return key

    def rotate_key(
        self,
        account_id: str,
        key_id: str,
        *,
        grace: timedelta,
        creation_id: str | None = None,
        asking_key_id: str | None = None,
        by: Actor = INSTALLATION,
    ) -> NewKey:
        """Make a successor with the same rights and budgets; the old key works for `grace` more, within its own expiry.

        `asking_key_id` as above: a key rotates itself whatever its budgets. Raises KeyEnded, KeyOfPlayground,
        KeyMadeAlready, NotFound, BudgetLoosened, and Invalid for a grace of more than a week.
        """
        if not timedelta() <= grace <= GRACE_MAX:
            raise Invalid("the grace is 0 to 604800 seconds", where="grace_s", hint="a week is the longest")
        now = self._clock.now()
        with self._database.transaction() as session:
            refuse_repeat(session, account_id, creation_id)
            old = _found(store.find_key(session, account_id, key_id), key_id)
            if old.budget_key_id != asking_key_id:  # its own successor has its budgets
                refuse_unbounded_key(session, account_id, asking_key_id)
            if not old.usable_at(now):
                raise KeyEnded(f"{key_id} has expired or was revoked", hint="create a new key instead")
            if old.purpose is KeyPurpose.PLAYGROUND:
                raise KeyOfPlayground(
                    f"{key_id} is the playground's own", hint="revoke it, and the playground gets a new one"
                )
            secret = new_secret(live=old.live)
            new = replace(
                old, id=new_id("key", now), hint=hint_of(secret), created_at=now, first_key_id=old.budget_key_id
            )
            store.insert_key(session, new, digest=digest_of(secret), creation_id=creation_id)
            ends_at = min(now + grace, old.expires_at) if old.expires_at else now + grace
            store.end_key(session, old.id, expires_at=ends_at, revoked_at=None)
            store.record_change(session)
            _record_key(session, "key.rotated", old, by=by, at=now, successor=new.id, ends_at=ends_at.isoformat())
        return NewKey(new, secret)

    def first_test_key(self, account_id: str, *, scopes: frozenset[Scope], by: Actor) -> NewKey | None:
        """Make the account's first key, a test key; None where it ever had one. Raises NotFound."""
        with self._database.transaction() as session:
            made = make_first_key(session, account_id, scopes=scopes, now=self._clock.now(), by=by)
        return NewKey(*made) if made else None

    def playground_key(self, account_id: str, *, live: bool, by: Actor) -> ApiKey:
        """Return the key with which the portal's playground calls models, made on first use. Raises NotFound."""
        with self._database.reading() as session:
            if key := store.find_playground_key(session, account_id, live=live):
                return key
        with self._database.transaction() as session:
            return make_playground_key(session, account_id, live=live, now=self._clock.now(), by=by)

    def playground_principal(self, account_id: str, *, live: bool, by: Actor) -> Principal:
        """Return whom the portal's playground acts as when it calls models. Raises NotFound."""
        key = self.playground_key(account_id, live=live, by=by)
        with self._database.reading() as session:
            caller = caller_store.find_caller_of_key(session, key.id)
        return caller[1] if caller else key.principal

    def create_user(self, email: str, password: str, *, operator: bool, by: Actor = INSTALLATION) -> User:
        """Create a user. Raises Invalid for a bad address or short password, EmailTaken."""
        hashed = hash_password(password)
        now = self._clock.now()
        user = User(new_id("user", now), normal_email(email), operator, now)
        with self._database.transaction() as session:
            if not user_store.insert_user(session, user, password_hash=hashed):
                raise EmailTaken(f"{user.email} has a user already", where="email")
            record(session, by=by, at=now, action="user.created", target=user.id, operator="yes" if operator else "no")
        return user

    def list_users(self, after: str = "", limit: int | None = None) -> list[User]:
        """Return users in order of creation."""
        with self._database.reading() as session:
            return user_store.list_users(session, after, limit)

    def users(self, user_ids: Collection[str]) -> dict[str, User]:
        """Return the users of those ids; an unknown id is left out."""
        with self._database.reading() as session:
            return user_store.find_users(session, user_ids)

    def has_operator(self) -> bool:
        """Tell whether anybody can run this installation."""
        with self._database.reading() as session:
            return user_store.operator_exists(session)


def new_account(name: str, *, currency: str, zone: str, anchor_day: int, now: datetime) -> Account:
    """Return an account that is not stored yet. Raises Invalid for a bad name, currency, time zone or anchor day."""
    parse_zone(zone)
    if not 1 <= anchor_day <= 31:
        raise Invalid(f"{anchor_day} is not a day of the month", where="anchor_day", hint="choose 1 to 31")
    return Account(new_id("acct", now), checked_name(name), parse_currency(currency), zone, anchor_day, created_at=now)


def add_account(session: Session, account: Account, *, by: Actor, creation_id: str | None = None) -> None:
    """Store a new account in the caller's transaction."""
    store.insert_account(session, account, creation_id=creation_id)
    record(
        session,
        by=by,
        at=account.created_at,
        action="account.created",
        target=account.id,
        account_id=account.id,
        name=account.name,
        currency=account.currency,
        zone=account.zone,
    )


def _record_key(session: Session, action: str, key: ApiKey, *, by: Actor, at: datetime, **details: str) -> None:
    record(session, by=by, at=at, action=action, target=key.id, account_id=key.account_id, name=key.name, **details)


def _found(key: ApiKey | None, key_id: str) -> ApiKey:
    if key is None:
        raise NotFound(f"there is no key {key_id}", where="key")
    return key
