"""`faremeter budget`: set, list, remove."""

import json
from typing import Any

import pytest
from typer.testing import CliRunner

from app.accounts.account import Account
from app.accounts.budget import BudgetInvalid
from app.accounts.service import Accounts
from app.charging.budget_rules import BudgetNotFound
from app.clock import SystemClock
from app.commands.budget import app
from app.database import Database

SHELL = CliRunner()


@pytest.fixture
def account(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Account:
    monkeypatch.setenv("FAREMETER_DATABASE_URL", sqlite_url)
    return Accounts(Database(sqlite_url), SystemClock()).create_account("Lab", zone="Asia/Shanghai")


def run(*arguments: str) -> Any:
    result = SHELL.invoke(app, [*arguments, "--json"])
    assert result.exit_code == 0, result.output
    return json.loads(result.output)


def test_budgets_are_set_listed_and_removed(account: Account) -> None:
    money = run("set", "--account", account.id, "--window", "month", "--money", "10.50", "--threshold", "80")
    assert (money["limit"], money["currency"], money["hard"], money["thresholds"]) == ("10.50", "USD", True, [80])
    quota = run("set", "--account", account.id, "--window", "total", "--units", "0", "--soft")
    assert (quota["limit"], quota["hard"], quota["thresholds"], quota["reset_at"]) == (0, False, [80, 100], None)
    assert sorted(run("list", "--account", account.id), key=lambda each: str(each["id"])) == sorted(
        [money, quota], key=lambda each: str(each["id"])
    )
    assert run("remove", money["id"])["id"] == money["id"]
    assert run("list", "--account", account.id) == [quota]
    assert isinstance(SHELL.invoke(app, ["remove", money["id"]]).exception, BudgetNotFound)


def test_the_same_for_people(account: Account) -> None:
    made = SHELL.invoke(app, ["set", "--account", account.id, "--window", "day", "--units", "5"]).output
    assert made.startswith("bud_")
    assert made.endswith("  0 used\n")
    listed = SHELL.invoke(app, ["list", "--account", account.id], env={"COLUMNS": "200"}).output
    assert "account_quota_day" in listed
    assert "hard" in listed
    removed = SHELL.invoke(app, ["remove", made.split()[0]]).output
    assert removed == f"account_quota_day of {account.id} is removed\n"


@pytest.mark.parametrize("limits", [[], ["--money", "1", "--units", "1"]])
def test_a_budget_is_of_money_or_of_units(account: Account, limits: list[str]) -> None:
    result = SHELL.invoke(app, ["set", "--account", account.id, "--window", "day", *limits])
    assert isinstance(result.exception, BudgetInvalid)
