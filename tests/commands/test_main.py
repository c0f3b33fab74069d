"""The command line as a whole."""

import json
import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.__main__ import cli
from app.accounts.service import Accounts
from app.clock import FrozenClock
from app.database import Database

IN_UTC = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{6})?Z")


def test_help_names_every_command() -> None:
    output = CliRunner().invoke(cli, ["--help"]).output
    names = {line.strip("│ ").split()[0] for line in output.splitlines() if line.startswith("│ ")}
    groups = {"account", "key", "user", "plan", "invoice", "price", "model", "train", "db", "audit"}
    assert {"serve", "worker", "quickstart", "demo", *groups} <= names


def test_instants_are_written_as_the_api_writes_them(
    sqlite_url: str, clock: FrozenClock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FAREMETER_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("FAREMETER_DATA_DIR", str(tmp_path))
    accounts = Accounts(Database(sqlite_url), clock)
    account = accounts.create_account("Ada").id
    accounts.create_key(account)
    accounts.create_user("ada@example.com", "correct horse battery", operator=False)
    of_account = ("--account", account)
    CliRunner().invoke(cli, ["member", "add", "ada@example.com", *of_account])
    for command in (
        ["account", "list"],
        ["key", "list", *of_account],
        ["user", "list"],
        ["member", "list", *of_account],
    ):
        (facts,) = json.loads(CliRunner().invoke(cli, [*command, "--json"]).stdout)
        instants = [value for name, value in facts.items() if name in {"created_at", "since"}]
        assert len(instants) == 1
        assert IN_UTC.fullmatch(instants[0])


def test_the_worker_says_what_it_does() -> None:
    output = CliRunner().invoke(cli, ["worker", "--help"]).output
    for job in ("invoices", "credit", "budgets", "partitions", "answers", "dead processes"):
        assert job in output
