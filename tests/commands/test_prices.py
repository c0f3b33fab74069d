"""`faremeter price suggest`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.clock import FrozenClock, SystemClock
from app.commands.prices import app
from app.database import Database
from app.economics.price_suggestion import NothingMeasured
from tests.economics.test_service import HARDWARE, record_calls

SHELL = CliRunner()


@pytest.fixture
def database(sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Database]:
    hardware_file = tmp_path / "hardware.toml"
    hardware_file.write_text(HARDWARE)
    monkeypatch.setenv("FAREMETER_DATABASE_URL", sqlite_url)
    monkeypatch.setenv("FAREMETER_HARDWARE_FILE", str(hardware_file))
    database = Database(sqlite_url)
    yield database
    database.dispose()


def test_a_price_is_suggested_from_what_was_measured(database: Database) -> None:
    record_calls(database, FrozenClock(SystemClock().now()), days_ago=2, calls=20)
    arguments = ["suggest", "vgg16", "--margin", "60%", "--calls-a-day", "5000"]
    facts = json.loads(SHELL.invoke(app, [*arguments, "--json"]).stdout)
    assert (facts["price_per_call"], facts["price_per_unit"], facts["calls_a_day"]) == ("0.00005", "0.000025", "5000.0")
    table = SHELL.invoke(app, arguments, env={"COLUMNS": "100"}).stdout
    assert "Price of vgg16" in table
    assert "break even calls a day" in table


def test_without_measurements_there_is_an_error_and_no_price(database: Database) -> None:
    result = SHELL.invoke(app, ["suggest", "vgg16", "--margin", "60%"])
    assert isinstance(result.exception, NothingMeasured)
    assert result.stdout == ""
