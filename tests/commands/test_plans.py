"""`faremeter plan`, from the file to the account."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.accounts.account import Account
from app.accounts.store import insert_account
from app.clock import SystemClock
from app.commands.plans import app
from app.database import Database
from app.errors import Invalid
from app.pricing.service import PlanNotFound
from tests.billing.books import PAYG

SHELL = CliRunner()


@pytest.fixture
def plan_file(tmp_path: Path, sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FAREMETER_DATABASE_URL", sqlite_url)
    file = tmp_path / "payg.toml"
    file.write_text(PAYG)
    return file


def test_a_plan_is_published_once_and_listed(plan_file: Path) -> None:
    first, again = (SHELL.invoke(app, ["publish", str(plan_file), "--json"]) for _ in range(2))
    assert first.exit_code == 0
    published = json.loads(first.output)
    assert (published["key"], published["version"], published["currency"]) == ("payg", 1, "USD")
    assert json.loads(again.output) == published
    assert json.loads(SHELL.invoke(app, ["list", "--json"]).output) == [published]


def test_the_same_for_people(plan_file: Path) -> None:
    assert SHELL.invoke(app, ["publish", str(plan_file)]).output.startswith("payg: version 1 is in effect since 20")
    listed = SHELL.invoke(app, ["list"], env={"COLUMNS": "160"}).output
    assert "payg" in listed
    assert "linear by units, vgg16 by units" in listed


def test_an_account_is_put_on_a_plan(plan_file: Path, sqlite_url: str) -> None:
    database = Database(sqlite_url)
    with database.transaction() as session:
        insert_account(session, Account("acct_1", "Ada", "USD", "UTC", 1, SystemClock().now()))
    database.dispose()
    SHELL.invoke(app, ["publish", str(plan_file)])
    as_json = SHELL.invoke(app, ["assign", "--account", "acct_1", "--plan", "payg", "--json"])
    assert json.loads(as_json.output).items() >= {"account": "acct_1", "plan": "payg"}.items()
    for_people = SHELL.invoke(app, ["assign", "--account", "acct_1", "--plan", "payg"])
    assert (for_people.exit_code, for_people.output) == (0, "acct_1 is on plan payg\n")


def test_mistakes_reach_the_one_place_that_prints_them(plan_file: Path, sqlite_url: str) -> None:
    plan_file.write_text(PAYG.replace('"0.00001"', "0.00001"))
    assert isinstance(SHELL.invoke(app, ["publish", str(plan_file)]).exception, Invalid)
    database = Database(sqlite_url)
    with database.transaction() as session:
        insert_account(session, Account("acct_1", "Ada", "USD", "UTC", 1, SystemClock().now()))
    database.dispose()
    unknown = SHELL.invoke(app, ["assign", "--account", "acct_1", "--plan", "none"])
    assert isinstance(unknown.exception, PlanNotFound)
    assert SHELL.invoke(app, ["publish", "no-such-file.toml"]).exit_code == 2
