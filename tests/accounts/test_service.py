"""Keys and accounts on both databases: made, listed, rotated, revoked, and never found again in a dump."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import MetaData, select

from app.accounts.account import DEFAULT_SCOPES, Account, NameInvalid, Scope, ScopesMissing
from app.accounts.authentication import Authenticator, Unauthenticated
from app.accounts.key_issue import KeyMadeAlready
from app.accounts.key_secret import digest_of
from app.accounts.service import GRACE_MAX, Accounts
from app.accounts.store import keys_of_budget, latest_change
from app.audit_log.actor import INSTALLATION
from app.clock import FrozenClock
from app.database import Database
from app.errors import Conflict, Invalid, NotFound
from tests.builders import NOON

HOUR = timedelta(hours=1)
OPERATOR, PASSWORD = "root@example.com", "correct horse battery"


def change_count(database: Database) -> int:
    with database.reading() as session:
        return latest_change(session)


def everything_stored(database: Database) -> bytes:
    """Return every value of every column of every table, one after the other."""
    tables = MetaData()
    tables.reflect(database.engine)
    assert {"accounts", "api_keys", "users"} <= set(tables.tables)
    values: list[bytes] = []
    with database.reading() as session:
        for table in tables.tables.values():
            for row in session.execute(select(table)):
                values += [bytes(value) if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"\n".join(values)


def test_no_secret_and_no_password_is_in_the_database(database: Database, accounts: Accounts, account: Account) -> None:
    accounts.create_user(OPERATOR, PASSWORD, operator=True)
    new = accounts.create_key(account.id, scopes=frozenset(Scope), operator_email=OPERATOR)
    rotated = accounts.rotate_key(account.id, new.key.id, grace=HOUR)

    stored = everything_stored(database)

    assert digest_of(new.secret) in stored  # the dump does look into every column
    for secret in (new.secret, rotated.secret):
        body = secret.removeprefix("fm_live_")
        assert not [at for at in range(len(body) - 7) if body[at : at + 8].encode() in stored]
    assert PASSWORD.encode() not in stored


def test_a_key_is_found_as_it_was_made(accounts: Accounts, account: Account) -> None:
    new = accounts.create_key(
        account.id,
        name="night batch",
        live=False,
        scopes=frozenset({Scope.PREDICT, Scope.KEYS_WRITE}),
        models=frozenset({"linear", "vgg16"}),
        expires_at=NOON + HOUR,
    )
    assert accounts.get_key(account.id, new.key.id) == new.key
    assert new.secret.startswith("fm_test_")
    assert new.key.hint == f"fm_test_…{new.secret[-4:]}"
    assert accounts.create_key(account.id).key.scopes == DEFAULT_SCOPES


def test_a_limit_to_an_empty_name_does_not_open_every_model(accounts: Accounts, account: Account) -> None:
    for models in ({""}, {"linear vgg16"}):
        with pytest.raises(Invalid):
            accounts.create_key(account.id, models=frozenset(models))


def test_another_accounts_keys_do_not_exist(accounts: Accounts, account: Account) -> None:
    stranger = accounts.create_account("Eve")
    key = accounts.create_key(account.id).key
    texts = set()
    for key_id in (key.id, "key_unknown"):
        for use in (accounts.get_key, accounts.revoke_key):
            with pytest.raises(NotFound) as caught:
                use(stranger.id, key_id)
            texts.add(str(caught.value).replace(key_id, "…"))
        with pytest.raises(NotFound) as caught:
            accounts.rotate_key(stranger.id, key_id, grace=HOUR)
        texts.add(str(caught.value).replace(key_id, "…"))
    assert len(texts) == 1  # what is another's and what is nobody's read alike
    assert accounts.list_keys(stranger.id) == []
    assert accounts.get_key(account.id, key.id).revoked_at is None


def test_lists_are_paged_in_order_of_creation(accounts: Accounts, account: Account, clock: FrozenClock) -> None:
    keys = []
    for _ in range(5):
        clock.advance(timedelta(milliseconds=1))
        keys.append(accounts.create_key(account.id).key)
    assert accounts.list_keys(account.id) == keys
    assert accounts.list_keys(account.id, after=keys[1].id, limit=2) == keys[2:4]
    assert accounts.list_accounts(limit=1) == [account]
    assert accounts.list_accounts(after=account.id) == []


def test_the_newest_keys_are_listed_apart_by_whether_they_work(
    accounts: Accounts, account: Account, clock: FrozenClock
) -> None:
    keys = []
    for expires_in in (None, HOUR, HOUR * 2, None):
        clock.advance(timedelta(milliseconds=1))
        expires_at = clock.now() + expires_in if expires_in else None
        keys.append(accounts.create_key(account.id, expires_at=expires_at).key)
    accounts.revoke_key(account.id, keys[3].id)
    clock.advance(HOUR - timedelta(milliseconds=2))  # the second one ends this very instant
    usable = accounts.newest_keys(account.id, usable=True, limit=9)
    ended = accounts.newest_keys(account.id, usable=False, limit=9)
    assert [key.id for key in usable] == [keys[2].id, keys[0].id]
    assert [key.id for key in ended] == [keys[3].id, keys[1].id]
    assert {key.usable_at(clock.now()) for key in usable} == {True}
    assert accounts.newest_keys(account.id, usable=True, limit=1) == usable[:1]
    assert accounts.count_usable_keys(account.id) == 2


def test_keys_are_found_by_their_ids_within_their_account(accounts: Accounts, account: Account) -> None:
    key, stranger = accounts.create_key(account.id).key, accounts.create_account("Stranger")
    assert accounts.keys(account.id, [key.id, "key_unknown"]) == {key.id: key}
    assert accounts.keys(stranger.id, [key.id]) == {}


def test_a_creation_makes_one_key_of_its_account(accounts: Accounts, account: Account, database: Database) -> None:
    first = accounts.create_key(account.id, creation_id="form").key
    with pytest.raises(KeyMadeAlready):
        accounts.create_key(account.id, creation_id="form")
    rotated = accounts.rotate_key(account.id, first.id, grace=HOUR, creation_id="another form").key
    before = change_count(database)
    for creation_id in ("form", "another form"):
        with pytest.raises(KeyMadeAlready):
            accounts.rotate_key(account.id, first.id, grace=HOUR, creation_id=creation_id)
    assert change_count(database) == before
    assert {key.id for key in accounts.list_keys(account.id)} == {first.id, rotated.id}
    stranger = accounts.create_account("Stranger")
    assert accounts.create_key(stranger.id, creation_id="form").key.account_id == stranger.id


def test_a_form_that_is_sent_twice_at_once_makes_one_key(accounts: Accounts, account: Account) -> None:
    def make(_: int) -> bool:
        try:
            return bool(accounts.create_key(account.id, creation_id="form"))
        except KeyMadeAlready:
            return False

    with ThreadPoolExecutor(4) as threads:
        assert sum(threads.map(make, range(4))) == 1


def test_a_key_that_may_do_nothing_is_not_made(accounts: Accounts, account: Account) -> None:
    with pytest.raises(ScopesMissing):
        accounts.create_key(account.id, scopes=frozenset())


def test_a_key_of_no_account_is_not_made(accounts: Accounts) -> None:
    with pytest.raises(NotFound):
        accounts.create_key("acct_unknown")
    with pytest.raises(NotFound):
        accounts.get_account("acct_unknown")


@pytest.mark.parametrize("operator_email", [None, "clerk@example.com", "nobody@example.com"])
def test_the_scope_admin_is_given_only_with_an_operator(
    database: Database, accounts: Accounts, account: Account, operator_email: str | None
) -> None:
    accounts.create_user("clerk@example.com", PASSWORD, operator=False)
    before = change_count(database)
    with pytest.raises(Invalid, match="operators"):
        accounts.create_key(account.id, scopes=frozenset({Scope.ADMIN}), operator_email=operator_email)
    assert accounts.list_keys(account.id) == []
    assert change_count(database) == before


def test_an_admin_key_names_the_operator_behind_it_and_so_does_its_successor(
    accounts: Accounts, account: Account
) -> None:
    operator = accounts.create_user(OPERATOR, PASSWORD, operator=True)
    key = accounts.create_key(account.id, scopes=frozenset({Scope.ADMIN}), operator_email=f" {OPERATOR.upper()} ").key
    assert key.user_id == operator.id
    assert accounts.rotate_key(account.id, key.id, grace=HOUR).key.user_id == operator.id


def test_every_change_of_a_key_moves_the_change_sequence(
    database: Database, accounts: Accounts, account: Account
) -> None:
    counts = [change_count(database)]
    key = accounts.create_key(account.id).key
    counts.append(change_count(database))
    key = accounts.rotate_key(account.id, key.id, grace=timedelta()).key
    counts.append(change_count(database))
    accounts.revoke_key(account.id, key.id)
    counts.append(change_count(database))
    accounts.revoke_key(account.id, key.id)
    assert counts == sorted(set(counts))
    assert change_count(database) == counts[-1]  # the second revocation changed nothing


def test_the_old_key_works_through_its_grace_and_not_a_moment_longer(
    database: Database, accounts: Accounts, account: Account, clock: FrozenClock
) -> None:
    old = accounts.create_key(account.id, models=frozenset({"linear"}))
    new = accounts.rotate_key(account.id, old.key.id, grace=HOUR)
    authenticator = Authenticator(database, clock)
    assert authenticator.authenticate(old.secret).key_id == old.key.id
    assert authenticator.authenticate(new.secret).models == {"linear"}

    clock.advance(HOUR)

    with pytest.raises(Unauthenticated, match="expired"):
        authenticator.authenticate(old.secret)
    assert authenticator.authenticate(new.secret).key_id == new.key.id


def test_a_key_and_its_successors_have_their_budgets_in_common(
    database: Database, accounts: Accounts, account: Account
) -> None:
    first = accounts.create_key(account.id).key
    second = accounts.rotate_key(account.id, first.id, grace=HOUR).key
    third = accounts.rotate_key(account.id, second.id, grace=HOUR).key
    stranger = accounts.create_key(account.id).key
    assert [key.budget_key_id for key in (first, second, third, stranger)] == [first.id] * 3 + [stranger.id]
    assert accounts.get_key(account.id, third.id).principal.budget_key_id == first.id
    with database.reading() as session:
        assert set(keys_of_budget(session, account.id, first.id)) == {first.id, second.id, third.id}
        assert keys_of_budget(session, account.id, stranger.id) == [stranger.id]
        assert keys_of_budget(session, "acct_other", first.id) == []


def test_a_rotation_without_grace_ends_the_old_key_at_once(
    database: Database, accounts: Accounts, account: Account, clock: FrozenClock
) -> None:
    old = accounts.create_key(account.id)
    accounts.rotate_key(account.id, old.key.id, grace=timedelta())
    with pytest.raises(Unauthenticated):
        Authenticator(database, clock).authenticate(old.secret)


def test_a_grace_never_outlasts_the_keys_own_expiry(accounts: Accounts, account: Account) -> None:
    old = accounts.create_key(account.id, expires_at=NOON + HOUR)
    new = accounts.rotate_key(account.id, old.key.id, grace=GRACE_MAX)
    assert accounts.get_key(account.id, old.key.id).expires_at == NOON + HOUR
    assert new.key.expires_at == NOON + HOUR


@pytest.mark.parametrize("grace", [timedelta(seconds=-1), GRACE_MAX + timedelta(microseconds=1)])
def test_a_grace_outside_its_bounds_is_refused(accounts: Accounts, account: Account, grace: timedelta) -> None:
    key = accounts.create_key(account.id).key
    with pytest.raises(Invalid):
        accounts.rotate_key(account.id, key.id, grace=grace)


def test_a_key_that_has_ended_cannot_be_revived_by_rotation(
    accounts: Accounts, account: Account, clock: FrozenClock
) -> None:
    revoked = accounts.create_key(account.id).key
    expired = accounts.create_key(account.id, expires_at=NOON + HOUR).key
    accounts.revoke_key(account.id, revoked.id)
    clock.advance(HOUR)
    for key in (revoked, expired):
        with pytest.raises(Conflict):
            accounts.rotate_key(account.id, key.id, grace=HOUR)
    assert len(accounts.list_keys(account.id)) == 2


def test_an_account_gets_another_name_and_keeps_everything_else(accounts: Accounts, account: Account) -> None:
    accounts.rename(account.id, " Ada & Söhne ", by=INSTALLATION)
    assert accounts.get_account(account.id) == replace(account, name="Ada & Söhne")
    for name in ("", "x" * 101, "two\nlines"):
        with pytest.raises(NameInvalid):
            accounts.rename(account.id, name, by=INSTALLATION)
    with pytest.raises(NotFound):
        accounts.rename("acct_none", "Ada", by=INSTALLATION)
    assert accounts.get_account(account.id).name == "Ada & Söhne"


def test_an_account_needs_a_name_a_currency_a_zone_and_a_day_that_exist(accounts: Accounts) -> None:
    account = accounts.create_account("Ada", currency="JPY", zone="Asia/Kathmandu", anchor_day=31)
    assert accounts.get_account(account.id) == account
    with pytest.raises(Invalid):
        accounts.create_account("")
    with pytest.raises(Invalid):
        accounts.create_account("Ada", currency="usd")
    with pytest.raises(Invalid):
        accounts.create_account("Ada", zone="Europe/Atlantis")
    for day in (0, 32, -1):
        with pytest.raises(Invalid):
            accounts.create_account("Ada", anchor_day=day)
    assert accounts.list_accounts() == [account]
