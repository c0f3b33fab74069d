"""`faremeter invoice`: the run and what it shows."""

import json
import logging
from collections.abc import Iterator
from copy import copy
from datetime import timedelta

import pytest
from typer.testing import CliRunner

from app.accounts.account import Account
from app.clock import FrozenClock, SystemClock
from app.commands.invoices import app
from app.database import Database
from app.errors import Invalid
from app.period import Month, month_of, parse_zone
from tests.billing.books import Books, flat_plan

SHELL = CliRunner()
WIDE = {"COLUMNS": "160"}
NOW = SystemClock().now()
THIS_MONTH = month_of(NOW, parse_zone("UTC"))
OVER = month_of(NOW - timedelta(hours=2), parse_zone("UTC")).plus(-1)  # in a month's first hour the last is not issued
BEGINNING = OVER.plus(-1)


@pytest.fixture
def books(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    """Books that a command of the system's clock will find, with plans of the month before the one that is over."""
    monkeypatch.setenv("FAREMETER_DATABASE_URL", sqlite_url)
    for name in ("handlers", "level"):  # the command configures logging for its process; this one goes on
        monkeypatch.setattr(logging.root, name, copy(getattr(logging.root, name)))
    database = Database(sqlite_url)
    clock = FrozenClock(NOW)
    clock.move_to(NOW.combine(BEGINNING.day(1), NOW.timetz()))
    books = Books(database, clock)
    books.plans.publish(flat_plan("fee", base_fee="30"))
    books.plans.publish(flat_plan("gold", base_fee="0", unit_price="900000000"))
    yield books
    database.dispose()


@pytest.fixture
def account(books: Books) -> Account:
    return books.open_account("fee")


def run(month: Month, *options: str) -> tuple[int, str]:
    result = SHELL.invoke(app, ["run", str(month), *options], env=WIDE)
    return result.exit_code, result.stdout


def test_a_month_that_is_over_is_issued_and_this_one_is_drafted(account: Account) -> None:
    status, output = run(OVER, "--json")
    (outcome,) = json.loads(output)["accounts"]
    assert (status, outcome["account"], outcome["result"]) == (0, account.id, "issued")
    assert (outcome["invoice"]["number"], outcome["invoice"]["total"]) == ("INV-000001", "30.00")

    _, output = run(THIS_MONTH, "--account", account.id)
    assert "draft" in output
    assert "draft: 30.00 USD" in output


def test_an_invoice_is_shown_by_id_or_number(account: Account) -> None:
    _, output = run(OVER, "--json")
    invoice = json.loads(output)["accounts"][0]["invoice"]
    for name in (invoice["id"], invoice["number"]):
        assert json.loads(SHELL.invoke(app, ["show", name, "--json"]).stdout) == invoice
    shown = SHELL.invoke(app, ["show", "INV-000001"], env=WIDE).stdout
    assert "Base fee of plan fee, version 1" in shown
    assert "total: 30.00 USD" in shown


def test_a_run_with_a_failure_reports_it_and_exits_with_1(books: Books, account: Account) -> None:
    gold = books.open_account("gold")
    books.use(gold, books.clock.now(), 2)
    status, output = run(BEGINNING, "--json")
    assert status == 1
    outcomes = [(outcome["account"], outcome["result"]) for outcome in json.loads(output)["accounts"]]
    assert outcomes == [(account.id, "issued"), (gold.id, "failed")]
    status, output = run(BEGINNING)
    assert status == 1
    assert "more than one invoice can carry" in output
    assert "already issued: " in output


def test_a_month_that_is_none_is_refused(books: Books) -> None:
    assert isinstance(SHELL.invoke(app, ["run", "2026-13"]).exception, Invalid)
