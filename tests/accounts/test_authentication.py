"""Authentication: facts are cached, negative ones too, and what was revoked is never put back."""

import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import timedelta

import pytest

from app.accounts import rate_limit_store, store
from app.accounts.account import Account
from app.accounts.authentication import Authenticator, Unauthenticated
from app.accounts.key_secret import new_secret
from app.accounts.rate_limits import UNLIMITED, RateLimits
from app.accounts.service import Accounts
from app.audit_log.actor import INSTALLATION
from app.clock import FrozenClock
from app.database import Database, DatabaseUnavailable, Session
from tests.builders import NOON


class WatchedDatabase(Database):
    """The real database, which counts its readings, may be away, and may be held up right after a reading."""

    readings = 0
    away = False

    def __init__(self, database: Database) -> None:
        super().__init__(database.url.render_as_string(hide_password=False))
        self.read, self.go_on = threading.Event(), threading.Event()
        self.go_on.set()

    @contextmanager
    def reading(self) -> Iterator[Session]:
        self.readings += 1
        if self.away:
            raise DatabaseUnavailable("the database does not answer")
        with super().reading() as session:
            yield session
        self.read.set()
        assert self.go_on.wait(10)


@pytest.fixture
def watched(database: Database) -> Iterator[WatchedDatabase]:
    watched = WatchedDatabase(database)
    yield watched
    watched.dispose()


@pytest.fixture
def authenticator(watched: WatchedDatabase, clock: FrozenClock) -> Authenticator:
    return Authenticator(watched, clock)


def test_a_known_key_costs_one_reading(
    accounts: Accounts, account: Account, authenticator: Authenticator, watched: WatchedDatabase
) -> None:
    new = accounts.create_key(account.id, live=False)
    assert authenticator.known(new.secret) is None
    principal = authenticator.authenticate(new.secret)
    assert (principal.account_id, principal.key_id, principal.live) == (account.id, new.key.id, False)
    assert authenticator.known(new.secret) == authenticator.authenticate(new.secret) == principal
    assert watched.readings == 1


def test_an_unknown_key_is_remembered_as_unknown(authenticator: Authenticator, watched: WatchedDatabase) -> None:
    secret = new_secret(live=True)
    for _ in range(3):
        with pytest.raises(Unauthenticated, match="unknown"):
            authenticator.authenticate(secret)
    with pytest.raises(Unauthenticated, match="unknown"):
        authenticator.known(secret)
    assert watched.readings == 1


def test_made_up_keys_push_no_real_key_out(
    accounts: Accounts,
    account: Account,
    watched: WatchedDatabase,
    clock: FrozenClock,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("app.accounts.authentication._KEYS_CACHED_MAX", 3)
    authenticator = Authenticator(watched, clock)
    new = accounts.create_key(account.id)
    principal = authenticator.authenticate(new.secret)
    for _ in range(10):
        with pytest.raises(Unauthenticated, match="unknown"):
            authenticator.authenticate(new_secret(live=True))
    assert authenticator.known(new.secret) == principal


def test_a_key_that_was_unknown_before_it_was_made_is_known_after(
    accounts: Accounts, account: Account, authenticator: Authenticator, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = new_secret(live=True)
    with pytest.raises(Unauthenticated):
        authenticator.authenticate(secret)
    monkeypatch.setattr("app.accounts.service.new_secret", lambda **_: secret)
    accounts.create_key(account.id)
    authenticator.forget()
    assert authenticator.authenticate(secret).account_id == account.id


@pytest.mark.parametrize("secret", ["", "fm_live_", "Bearer x", "fm_live_" + "0" * 38, "fm_live_" + "é" * 38])
def test_what_cannot_be_a_key_is_refused_without_a_reading(
    authenticator: Authenticator, watched: WatchedDatabase, secret: str
) -> None:
    with pytest.raises(Unauthenticated, match="not a Faremeter key"):
        authenticator.authenticate(secret)
    assert watched.readings == 0


def test_a_revoked_key_is_refused_once_the_cache_has_been_told(
    accounts: Accounts, account: Account, authenticator: Authenticator
) -> None:
    new = accounts.create_key(account.id)
    authenticator.authenticate(new.secret)
    accounts.revoke_key(account.id, new.key.id)
    authenticator.forget()
    assert authenticator.known(new.secret) is None
    with pytest.raises(Unauthenticated, match="revoked"):
        authenticator.authenticate(new.secret)


def test_a_cached_key_expires_without_anybody_telling(
    accounts: Accounts, account: Account, authenticator: Authenticator, clock: FrozenClock
) -> None:
    new = accounts.create_key(account.id, expires_at=NOON + timedelta(minutes=1))
    authenticator.authenticate(new.secret)
    clock.advance(timedelta(minutes=1))
    with pytest.raises(Unauthenticated, match="expired"):
        authenticator.known(new.secret)


def test_a_lookup_that_was_under_way_during_a_revocation_is_not_kept(
    accounts: Accounts, account: Account, authenticator: Authenticator, watched: WatchedDatabase
) -> None:
    new = accounts.create_key(account.id)
    watched.go_on.clear()
    with ThreadPoolExecutor(1) as pool:
        slow = pool.submit(authenticator.authenticate, new.secret)
        assert watched.read.wait(10)  # the slow lookup has read the key as it was before
        accounts.revoke_key(account.id, new.key.id)
        authenticator.forget()
        watched.go_on.set()
        slow.result()
    assert authenticator.known(new.secret) is None
    with pytest.raises(Unauthenticated, match="revoked"):
        authenticator.authenticate(new.secret)


def test_an_outage_is_not_taken_for_an_unknown_key(
    accounts: Accounts, account: Account, authenticator: Authenticator, watched: WatchedDatabase
) -> None:
    new = accounts.create_key(account.id)
    watched.away = True
    with pytest.raises(DatabaseUnavailable):
        authenticator.authenticate(new.secret)
    watched.away = False
    assert authenticator.authenticate(new.secret).key_id == new.key.id


def test_one_reading_finds_all_that_calls_have_to_keep_to(
    accounts: Accounts, account: Account, authenticator: Authenticator, watched: WatchedDatabase
) -> None:
    of_key, of_account = RateLimits(requests_per_minute=5), RateLimits(units_per_minute=70, concurrency_max=2)
    new = accounts.create_key(account.id)
    with watched.transaction() as session:
        rate_limit_store.set_limits(session, new.key.id, of_key)
        rate_limit_store.set_limits(session, account.id, of_account)
        store.set_gated(session, account.id, gated=True)
    watched.readings = 0
    principal = authenticator.authenticate(new.secret)
    assert watched.readings == 1
    assert (principal.gated, principal.limits, principal.account_limits) == (True, of_key, of_account)
    successor = accounts.rotate_key(account.id, new.key.id, grace=timedelta())
    assert authenticator.authenticate(successor.secret).limits == of_key  # a key and its successors count as one
    playground = accounts.playground_principal(account.id, live=True, by=INSTALLATION)
    assert (playground.gated, playground.limits, playground.account_limits) == (True, UNLIMITED, of_account)
