"""`faremeter credit`: given, listed and paid back from the command line."""

import json
import logging
from copy import copy
from typing import Any

import pytest
from typer.testing import CliRunner

from app.accounts.service import Accounts
from app.clock import SystemClock
from app.commands.credit import app
from app.database import Database
from app.errors import NotFound
from app.ledger.credit_grant import CreditExpiryPast

SHELL = CliRunner()
WIDE = {"COLUMNS": "160"}


@pytest.fixture
def account(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> str:
    """The id of an account in the database that a command will find."""
    monkeypatch.setenv("FAREMETER_DATABASE_URL", sqlite_url)
    for name in ("handlers", "level"):  # the command configures logging for its process; this one goes on
        monkeypatch.setattr(logging.root, name, copy(getattr(logging.root, name)))
    database = Database(sqlite_url)
    made = Accounts(database, SystemClock()).create_account("Ada", currency="EUR")
    database.dispose()
    return made.id


def run(*arguments: str) -> str:
    result = SHELL.invoke(app, arguments, env=WIDE)
    assert result.exit_code == 0, result.output
    return result.stdout


def run_json(*arguments: str) -> Any:
    return json.loads(run(*arguments, "--json"))


def test_credit_is_given_listed_and_paid_back(account: str) -> None:
    grant_id = run("grant", "--account", account, "--amount", "10.00").strip()
    promotional = ("--promotional", "--priority", "10", "--expires", "2100-01-01T00:00:00+01:00", "--note", "Hello")
    given = run_json("grant", "--account", account, "--amount", "0.000000005", *promotional)
    assert (given["kind"], given["amount"], given["currency"]) == ("promotional", "0.000000005", "EUR")
    assert (given["priority"], given["expires_at"], given["note"]) == (10, "2099-12-31T23:00:00Z", "Hello")
    assert run_json("list", "--account", account) == [
        given,
        {**given, **run_json("list", "--account", account)[1], "id": grant_id, "kind": "paid", "amount": "10.00"},
    ]
    table = run("list", "--account", account)
    assert "2099-12-31T23:00Z" in table
    assert "never" in table

    assert run("refund", grant_id, "--amount", "4.5") == f"4.50 EUR of {grant_id} are paid back\n"
    rest = run_json("refund", grant_id)
    assert (rest["grant"], rest["amount"], rest["currency"]) == (grant_id, "5.50", "EUR")
    balance = run_json("balance", "--account", account)
    assert (balance["available"], balance["held"], balance["currency"]) == ("0.000000005", "0.00", "EUR")
    assert "available  0.000000005 EUR" in run("balance", "--account", account)


def test_a_command_that_is_run_again_for_the_same_does_nothing_more(account: str) -> None:
    once = ("grant", "--account", account, "--amount", "10", "--once-for", "order-1")
    assert run(*once) == run(*once)
    (grant,) = run_json("list", "--account", account)
    back = ("refund", grant["id"], "--amount", "1", "--once-for", "back-1")
    assert run(*back) == run(*back)
    assert run_json("balance", "--account", account)["available"] == "9.00"


@pytest.mark.parametrize(
    "expires", ["tomorrow", "2100-01-01T00:00:00", "2001-01-01T00:00:00Z", "0001-01-01T00:00+09:00"]
)
def test_an_expiry_that_is_none_is_refused(account: str, expires: str) -> None:
    result = SHELL.invoke(app, ["grant", "--account", account, "--amount", "1", "--expires", expires])
    assert isinstance(result.exception, CreditExpiryPast)


def test_a_grant_or_an_account_that_is_none_is_refused(account: str) -> None:
    for arguments in (["refund", "grant_none"], ["list", "--account", "acct_none"], ["balance", "--account", "x"]):
        assert isinstance(SHELL.invoke(app, arguments).exception, NotFound)
