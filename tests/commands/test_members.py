"""`faremeter member` and `faremeter user`: the people, for whoever runs the installation."""

import json
from collections.abc import Iterator

import pytest
from typer.testing import CliRunner

from app.accounts.account import Account
from app.accounts.service import Accounts
from app.clock import SystemClock
from app.commands import members, users
from app.database import Database
from app.members.membership import LastOwner, MemberNotFound, UserNotFound
from app.members.role import RoleUnknown
from app.members.sign_in import SignIn

SHELL = CliRunner()
WIDE = {"COLUMNS": "160"}
ADA, BOB = "ada@example.com", "bob@example.com"


@pytest.fixture
def account(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Account]:
    """An account without members, and two users."""
    monkeypatch.setenv("FAREMETER_DATABASE_URL", sqlite_url)
    database = Database(sqlite_url)
    accounts = Accounts(database, SystemClock())
    for email in (ADA, BOB):
        accounts.create_user(email, "correct horse battery", operator=email == ADA)
    yield accounts.create_account("Ada Inc")
    database.dispose()


def member(*words: str) -> str:
    result = SHELL.invoke(members.app, list(words), env=WIDE)
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return result.stdout


def test_a_user_is_let_in_listed_and_taken_out(account: Account) -> None:
    in_account = ("--account", account.id)
    added = json.loads(member("add", ADA, *in_account, "--json"))
    assert (added["email"], added["role"]) == (ADA, "owner")
    assert member("add", BOB, *in_account, "--role", "viewer").startswith("user_")
    listed = json.loads(member("list", *in_account, "--json"))
    assert [(each["email"], each["role"]) for each in listed] == [(ADA, "owner"), (BOB, "viewer")]
    assert BOB in member("list", *in_account)
    assert member("remove", BOB, *in_account) == "removed\n"
    assert len(json.loads(member("list", *in_account, "--json"))) == 1


def test_what_cannot_be_is_refused(account: Account) -> None:
    in_account = ("--account", account.id)
    member("add", ADA, *in_account)
    with pytest.raises(UserNotFound):
        member("add", "nobody@example.com", *in_account)
    with pytest.raises(RoleUnknown):
        member("add", BOB, *in_account, "--role", "king")
    with pytest.raises(MemberNotFound):
        member("remove", BOB, *in_account)
    with pytest.raises(LastOwner):
        member("remove", ADA, *in_account)


def test_users_are_listed_without_their_passwords(account: Account) -> None:
    printed = SHELL.invoke(users.app, ["list", "--json"]).stdout
    assert [(each["email"], each["operator"]) for each in json.loads(printed)] == [(ADA, True), (BOB, False)]
    assert "argon2" not in printed
    assert BOB in SHELL.invoke(users.app, ["list"], env=WIDE).stdout


def test_a_new_password_is_printed_once_and_works(account: Account, sqlite_url: str) -> None:
    password = json.loads(SHELL.invoke(users.app, ["password", BOB, "--json"]).stdout)["password"]
    database = Database(sqlite_url)
    assert SignIn(database).user(BOB, password).email == BOB
    database.dispose()
