"""`faremeter economics report`."""

import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.clock import FrozenClock, SystemClock
from app.commands.economics import app
from app.database import Database
from app.economics.margins import MonthNotBegun
from tests.billing.books import PAYG, Books
from tests.economics.test_margins import HARDWARE, hold, run_batch

SHELL = CliRunner()


@pytest.fixture
def books(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Books]:
    """Books of which a customer, the processor and an accelerator that nobody declared have been using this hour."""
    hardware_file = tmp_path / "hardware.toml"
    hardware_file.write_text(HARDWARE)
    monkeypatch.setenv("FAREMETER_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("FAREMETER_HARDWARE_FILE", str(hardware_file))
    database = Database(sqlite_url)
    books = Books(database, FrozenClock(SystemClock().now()))
    books.plans.publish(PAYG)
    now = books.clock.now()
    books.use(books.open_account("payg"), now, 1_000)
    run_batch(database, now, 100, model="linear")
    hold(database, now, now + timedelta(microseconds=1_000))
    hold(database, now, now + timedelta(milliseconds=2), device="tpu")
    yield books
    database.dispose()


def test_a_month_is_printed_as_json_and_as_tables(books: Books) -> None:
    month = f"{books.clock.now():%Y-%m}"
    facts = json.loads(SHELL.invoke(app, ["report", "--month", month, "--json"]).stdout)
    (linear,) = facts["models"]
    assert (linear["model"], linear["calls"], linear["earned"]) == ("linear", 1, "0.01")
    assert (linear["cost"], linear["idle"], linear["margin"]) == ("0.0000001", "0.0000009", "99.99%")
    assert facts["unattributed"] == [{"device": "tpu", "up_ms": 2, "currency": None, "idle": None}]
    assert facts["totals"][0]["wall_clock_cost"] == "0.000001"
    printed = SHELL.invoke(app, ["report"], env={"COLUMNS": "120"}).stdout
    for text in ("99.99%", "break even calls a day", "tpu", "wall clock cost"):
        assert text in printed


def test_an_account_that_cannot_be_charged_is_told_with_its_reason(books: Books) -> None:
    account = books.open_account("payg")
    books.use(account, books.clock.now(), 1, model="sold-to-nobody")
    (line,) = json.loads(SHELL.invoke(app, ["report", "--json"]).stdout)["uncounted"]
    assert line["account"] == account.id
    printed = SHELL.invoke(app, ["report"], env={"COLUMNS": "200"}).stdout
    assert "Accounts that cannot be charged, and are in no figure" in printed
    assert line["reason"] in " ".join(printed.split())


def test_what_is_empty_says_so(books: Books) -> None:
    printed = SHELL.invoke(app, ["report", "--month", "2020-02"]).stdout
    assert printed.splitlines() == [
        "Models, 2020-02-01T00:00Z to 2020-03-01T00:00Z: none",
        "Devices whose time no model bears: none",
        "Totals: none",
    ]


def test_a_month_that_lies_ahead_is_an_error(books: Books) -> None:
    result = SHELL.invoke(app, ["report", "--month", "2190-01"])
    assert isinstance(result.exception, MonthNotBegun)
    assert result.stdout == ""
