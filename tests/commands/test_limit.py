"""`faremeter limit` and `faremeter serve --http-workers`."""

import json

import pytest
from typer.testing import CliRunner

from app.accounts.limits_service import LimitOfNoModel
from app.accounts.service import Accounts
from app.audit_log.service import AuditLog
from app.clock import SystemClock
from app.commands import server
from app.commands.limit import app
from app.database import Database
from app.errors import Invalid, NotFound

SHELL = CliRunner()


@pytest.fixture
def ids(sqlite_url: str, monkeypatch: pytest.MonkeyPatch) -> tuple[str, str]:
    """An account and its key in the database of the environment."""
    monkeypatch.setenv("FAREMETER_DATABASE_URL", sqlite_url)
    accounts = Accounts(Database(sqlite_url), SystemClock())
    account = accounts.create_account("Acme")
    return account.id, accounts.create_key(account.id).key.id


def test_limits_are_set_replaced_listed_and_logged(ids: tuple[str, str], sqlite_url: str) -> None:
    account, key = ids
    for words in (
        ["--account", account, "--requests", "100", "--units", "1000"],
        ["--account", account, "--key", key, "--concurrency", "5"],
        ["--model", "linear", "--units", "7"],
        ["--account", account, "--requests", "50"],
    ):
        done = SHELL.invoke(app, ["set", *words])
        assert done.exit_code == 0, done.output
    listed = {each.pop("subject"): each for each in json.loads(SHELL.invoke(app, ["list", "--json"]).stdout)}
    none = {"requests_per_minute": None, "units_per_minute": None, "concurrency_max": None}
    assert listed == {
        account: none | {"requests_per_minute": 50},
        key: none | {"concurrency_max": 5},
        "model:linear": none | {"units_per_minute": 7},
    }
    entries = [e for e in AuditLog(Database(sqlite_url)).list() if e.action == "limits.set"]
    assert {e.target for e in entries} == {account, key, "model:linear"}
    assert {"requests_per_minute": "50"} in [e.details for e in entries]
    assert "Limits" in SHELL.invoke(app, ["list"]).stdout


def test_limits_without_a_value_are_taken_away(ids: tuple[str, str]) -> None:
    SHELL.invoke(app, ["set", "--account", ids[0], "--requests", "100"])
    assert SHELL.invoke(app, ["set", "--account", ids[0]]).exit_code == 0
    assert json.loads(SHELL.invoke(app, ["list", "--json"]).stdout) == []


@pytest.mark.parametrize(
    ("words", "error"),
    [
        (["--requests", "5"], Invalid),
        (["--key", "key_1", "--requests", "5"], Invalid),
        (["--model", "linear", "--account", "acct_1"], Invalid),
        (["--model", "linear", "--requests", "0"], Invalid),
        (["--model", "two words", "--requests", "1"], Invalid),
        (["--model", "vgg61", "--requests", "1"], LimitOfNoModel),
        (["--account", "acct_nobody", "--requests", "1"], NotFound),
    ],
)
def test_what_makes_no_sense_is_refused(ids: tuple[str, str], words: list[str], error: type[Exception]) -> None:
    assert isinstance(SHELL.invoke(app, ["set", *words]).exception, error)


def test_several_processes_need_a_redis_unless_limits_are_off(
    ids: tuple[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    refused = SHELL.invoke(server.app, ["serve", "--http-workers", "2"]).exception
    assert isinstance(refused, Invalid)
    assert "FAREMETER_REDIS_URL" in str(refused)
