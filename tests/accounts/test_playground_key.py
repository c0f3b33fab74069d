"""The playground's key: one of each mode, made once however many ask at once, and nobody's to use elsewhere."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest

from app.accounts.account import Account, ApiKey, KeyPurpose, Scope
from app.accounts.service import Accounts
from app.audit_log.actor import Actor, ActorKind
from app.audit_log.service import AuditLog
from app.database import Database
from app.errors import Conflict, NotFound

ADA = Actor(ActorKind.USER, "user_ada")


def key_of(accounts: Accounts, account: Account, *, live: bool = True) -> ApiKey:
    return accounts.playground_key(account.id, live=live, by=ADA)


def test_it_is_made_on_first_use_and_stays(accounts: Accounts, account: Account, database: Database) -> None:
    key = key_of(accounts, account)
    assert (key.purpose, key.live, key.scopes) == (KeyPurpose.PLAYGROUND, True, frozenset({Scope.PREDICT}))
    assert key_of(accounts, account) == key
    test_key = key_of(accounts, account, live=False)
    assert (test_key.live, test_key.id != key.id) == (False, True)
    assert accounts.get_key(account.id, key.id) == key
    entries = [entry for entry in AuditLog(database).list(account.id) if entry.action == "key.created"]
    assert {(entry.target, entry.actor) for entry in entries} == {(key.id, ADA), (test_key.id, ADA)}
    rights = {entry.target: dict(entry.details) for entry in entries}
    assert rights[key.id] == {"name": "playground", "mode": "live", "scopes": "predict"}
    assert rights[test_key.id] == {"name": "playground", "mode": "test", "scopes": "predict"}


def test_of_many_first_uses_at_once_one_makes_it(accounts: Accounts, account: Account) -> None:
    with ThreadPoolExecutor(4) as pool:
        keys = list(pool.map(lambda _: key_of(accounts, account), range(4)))
    assert len({key.id for key in keys}) == 1
    assert len(accounts.list_keys(account.id)) == 1


def test_a_revoked_one_is_replaced_at_the_next_use(accounts: Accounts, account: Account) -> None:
    first = key_of(accounts, account)
    accounts.revoke_key(account.id, first.id)
    second = key_of(accounts, account)
    assert second.id != first.id
    assert second.revoked_at is None


def test_it_is_not_rotated_into_a_key_that_somebody_knows(accounts: Accounts, account: Account) -> None:
    with pytest.raises(Conflict):
        accounts.rotate_key(account.id, key_of(accounts, account).id, grace=timedelta(hours=1))


def test_an_ordinary_key_is_no_playground_key(accounts: Accounts, account: Account) -> None:
    assert accounts.create_key(account.id).key.purpose is KeyPurpose.API
    assert key_of(accounts, account).purpose is KeyPurpose.PLAYGROUND


def test_an_account_that_is_not_there_has_none(accounts: Accounts) -> None:
    with pytest.raises(NotFound):
        accounts.playground_key("acct_none", live=True, by=ADA)
