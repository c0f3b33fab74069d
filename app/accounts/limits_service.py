"""Use cases of rate limits: set and show those of keys, accounts and models."""

from collections.abc import Callable, Collection
from dataclasses import asdict
from datetime import datetime

from app.accounts import rate_limit_store, store
from app.accounts.account import ApiKey, checked_models
from app.accounts.rate_limits import RateLimits, model_subject
from app.audit_log.actor import INSTALLATION, Actor
from app.audit_log.store import record
from app.clock import Clock
from app.database import Database, Session
from app.errors import AppError, Kind, NotFound


class LimitOfNoModel(AppError):
    """A limit is to be set for a model that nobody has ever sold or served: a slip of the pen bounds nothing."""

    kind = Kind.UNPROCESSABLE
    code = "limit_of_no_model"


class Limits:
    """What is set counts in every process within a second; limits without any value are none."""

    def __init__(
        self, database: Database, clock: Clock, known_models: Callable[[], Collection[str]] | None = None
    ) -> None:
        """`known_models` tells which models there are, or have been; without it every name may be one."""
        self._database = database
        self._clock = clock
        self._known_models = known_models

    def of_key(self, account_id: str, key_id: str) -> RateLimits:
        """Return the limits of a key, which it shares with its successors. Raises NotFound."""
        with self._database.reading() as session:
            return rate_limit_store.find_limits(session, _key(session, account_id, key_id).budget_key_id)

    def of_keys(self, keys: Collection[ApiKey]) -> dict[str, RateLimits]:
        """Return the limits of those keys that have any, by the keys' ids."""
        with self._database.reading() as session:
            found = rate_limit_store.find_many(session, {key.budget_key_id for key in keys})
        return {key.id: found[key.budget_key_id] for key in keys if key.budget_key_id in found}

    def of_account(self, account_id: str) -> RateLimits:
        """Return what all keys of an account have in common. Raises NotFound."""
        with self._database.reading() as session:
            if store.find_account(session, account_id) is None:
                raise NotFound(f"there is no account {account_id}", where="account")
            return rate_limit_store.find_limits(session, account_id)

    def of_model(self, model: str) -> RateLimits:
        """Return what all who call a model have in common."""
        with self._database.reading() as session:
            return rate_limit_store.find_limits(session, model_subject(model))

    def list(self) -> list[tuple[str, RateLimits]]:
        """Return all limits that are set, by `key_…`, `acct_…` and `model:NAME`."""
        with self._database.reading() as session:
            return rate_limit_store.list_limits(session)

    def set_of_key(self, account_id: str, key_id: str, limits: RateLimits, *, by: Actor = INSTALLATION) -> None:
        """Set the limits of a key and its successors. Raises NotFound."""
        with self._database.transaction() as session:
            store.lock_account(session, account_id)
            key = _key(session, account_id, key_id)
            self._set(session, key.budget_key_id, limits, account_id=account_id, by=by)

    def set_of_account(self, account_id: str, limits: RateLimits, *, by: Actor = INSTALLATION) -> None:
        """Set what all keys of an account have in common. Raises NotFound."""
        with self._database.transaction() as session:
            store.lock_account(session, account_id)
            self._set(session, account_id, limits, account_id=account_id, by=by)

    def set_of_model(self, model: str, limits: RateLimits, *, by: Actor = INSTALLATION) -> None:
        """Set what all who call a model have in common, served today or not.

        Raises Invalid for no name of a model, LimitOfNoModel for one that was never here. Limits are always removed.
        """
        checked_models(frozenset({model}), where="model")
        if not limits.none:
            self._require_known(model)
        with self._database.transaction() as session:
            self._set(session, model_subject(model), limits, account_id=None, by=by)

    def _require_known(self, model: str) -> None:
        """Raise LimitOfNoModel unless the model is deployed, or some plan has ever priced it."""
        known = None if self._known_models is None else self._known_models()
        if known is not None and model not in known:
            raise LimitOfNoModel(
                f"there is no model {model!r} here, and no plan has ever priced one",
                where="model",
                hint=f"there are: {', '.join(sorted(known)) or 'none yet'}; deploy it or price it first",
            )

    def _set(self, session: Session, subject: str, limits: RateLimits, *, account_id: str | None, by: Actor) -> None:
        rate_limit_store.set_limits(session, subject, limits)
        store.record_change(session)
        record_limits(session, subject, limits, account_id=account_id, by=by, at=self._clock.now())


def record_limits(
    session: Session, subject: str, limits: RateLimits, *, account_id: str | None, by: Actor, at: datetime
) -> None:
    """Let the audit log know which limits were set, in the caller's transaction."""
    details = {name: str(value) for name, value in asdict(limits).items() if value is not None}
    record(session, by=by, at=at, action="limits.set", target=subject, account_id=account_id, **details)


def _key(session: Session, account_id: str, key_id: str) -> ApiKey:
    key = store.find_key(session, account_id, key_id)
    if key is None:
        raise NotFound(f"there is no key {key_id}", where="key")
    return key
