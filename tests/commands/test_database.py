"""`faremeter db backup`, `db restore` and `faremeter audit`: what they print, and how they end."""

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from app.__main__ import cli
from app.database import Database
from app.errors import AppError
from tests.backup.full_database import contents
from tests.builders import make_event, open_account, record_usage

SHELL = CliRunner()


@pytest.fixture
def books(sqlite_template: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    """Books with one account, on which the commands work."""
    database = Database(f"sqlite:///{shutil.copyfile(sqlite_template, tmp_path / 'books.db')}")
    monkeypatch.setenv("FAREMETER_DATABASE_URL", str(database.url))
    open_account(database)
    yield database
    database.dispose()


def run(*arguments: str) -> Result:
    return SHELL.invoke(cli, arguments)


def test_a_backup_is_told_and_restored_elsewhere(
    books: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "books.zip"
    result = run("db", "backup", str(file), "--json")
    told = json.loads(result.stdout)
    assert (result.exit_code, told["file"], told["bytes"]) == (0, str(file), file.stat().st_size)
    assert (told["rows"]["accounts"], told["rows"]["usage_events"]) == (1, 0)

    other = Database(f"sqlite:///{tmp_path}/other.db")
    monkeypatch.setenv("FAREMETER_DATABASE_URL", str(other.url))
    result = run("db", "restore", str(file))
    assert result.exit_code == 0
    assert "the database has 1 rows of" in result.stdout
    assert contents(other)["accounts"] == contents(books)["accounts"]
    other.dispose()

    refusal = run("db", "restore", str(file)).exception
    assert isinstance(refusal, AppError)
    assert "restore into a new, empty database" in str(refusal)


def test_an_audit_ends_with_0_where_the_books_agree_and_with_1_where_not(books: Database) -> None:
    result = run("audit")
    assert (result.exit_code, result.stdout.splitlines()[-1].split(",")[0]) == (0, "the books agree")
    record_usage(books, make_event(account_id="acct_2"))
    with books.transaction() as session:
        session.execute(text("UPDATE usage_rollup SET calls = 5"))
    result = run("audit")
    assert result.exit_code == 1
    assert "1 differ  the rollup is the sum of its events (1 compared)" in result.stdout
    assert "expected calls 1, found calls 5" in result.stdout
    assert result.stdout.splitlines()[-1].startswith("the books disagree, as of ")

    result = run("audit", "--json")
    report = json.loads(result.stdout)
    assert (result.exit_code, report["clean"]) == (1, False)
    assert {each["check"] for each in report["checks"] if each["differences"]} == {"rollup", "amounts", "payers"}
