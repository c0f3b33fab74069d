"""The first key: made once for an account, however often and however quickly it is asked for."""

from concurrent.futures import ThreadPoolExecutor

from app.accounts.account import Account, Scope
from app.accounts.caller_store import find_caller
from app.accounts.key_secret import digest_of
from app.accounts.service import Accounts
from app.audit_log.actor import Actor, ActorKind
from app.audit_log.service import AuditLog
from app.database import Database

SOMEBODY = Actor(ActorKind.USER, "user_1")
SCOPES = frozenset({Scope.PREDICT})


def test_the_first_key_is_a_test_key_and_its_secret_works(
    accounts: Accounts, account: Account, database: Database
) -> None:
    made = accounts.first_test_key(account.id, scopes=SCOPES, by=SOMEBODY)
    assert made
    with database.reading() as session:
        found = find_caller(session, digest_of(made.secret))
        assert found is not None
        assert found[0] == made.key
    assert (made.key.live, made.key.scopes) == (False, SCOPES)
    (entry,) = [e for e in AuditLog(database).list(account_id=account.id) if e.action == "key.created"]
    assert (entry.target, entry.actor) == (made.key.id, SOMEBODY)


def test_there_is_no_first_key_after_another_even_a_revoked_one(accounts: Accounts, account: Account) -> None:
    accounts.revoke_key(account.id, accounts.create_key(account.id).key.id)
    assert accounts.first_test_key(account.id, scopes=SCOPES, by=SOMEBODY) is None


def test_the_key_of_the_playground_does_not_count(accounts: Accounts, account: Account) -> None:
    accounts.playground_key(account.id, live=False, by=SOMEBODY)
    assert accounts.first_test_key(account.id, scopes=SCOPES, by=SOMEBODY)


def test_of_many_at_once_one_gets_it(accounts: Accounts, account: Account) -> None:
    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(lambda _: accounts.first_test_key(account.id, scopes=SCOPES, by=SOMEBODY), range(4)))
    assert len([each for each in made if each]) == 1
    assert len(accounts.list_keys(account.id)) == 1
