"""`faremeter model` and `faremeter train linear`."""

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.commands.models import app
from app.commands.train import app as train_app
from app.inference.engine import ModelNotFound, ModelUnavailable, VersionNotFound
from app.inference.inputs import InputInvalid
from app.inference.weights_fetch import FetchFailed

SHELL = CliRunner()


@pytest.fixture(autouse=True)
def data_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("FAREMETER_DATA_DIR", str(tmp_path))
    return tmp_path


def test_the_list_says_what_hinders_each_version() -> None:
    result = SHELL.invoke(app, ["list", "--json"])
    rows = {row["model"]: row for row in json.loads(result.stdout)}
    assert rows["linear"] == {"model": "linear", "version": 1, "default": True, "hindrance": None}
    assert rows["vgg16"]["hindrance"] == "weights.safetensors is not there yet"
    assert "vgg16-digits" in SHELL.invoke(app, ["list"]).stdout


def test_a_model_is_checked_as_the_server_would_run_it() -> None:
    result = SHELL.invoke(app, ["check", "linear", "--json"])
    assert 100 < json.loads(result.stdout)["output"]["progression"] < 200
    assert "linear 1 on cpu" in SHELL.invoke(app, ["check", "linear"]).stdout


def test_a_model_that_is_not_there_or_not_ready_is_an_error(tmp_path: Path) -> None:
    assert isinstance(SHELL.invoke(app, ["check", "nobody"]).exception, ModelNotFound)
    assert isinstance(SHELL.invoke(app, ["check", "vgg16-digits"]).exception, ModelUnavailable)
    assert isinstance(SHELL.invoke(app, ["check", "linear", "--version", "9"]).exception, VersionNotFound)
    photo = tmp_path / "photo.jpg"
    photo.write_bytes(b"no photo")
    assert isinstance(SHELL.invoke(app, ["check", "linear", "--photo", str(photo)]).exception, InputInvalid)
    assert isinstance(SHELL.invoke(app, ["check", "vgg16", "--photo", str(photo)]).exception, InputInvalid)


def test_a_model_that_knows_no_source_cannot_be_fetched() -> None:
    assert isinstance(SHELL.invoke(app, ["fetch", "vgg16-digits"]).exception, FetchFailed)
    assert "weights are in" in SHELL.invoke(app, ["fetch", "linear"]).stdout


def test_linear_is_trained_into_the_data_folder(data_dir: Path) -> None:
    result = SHELL.invoke(train_app, ["linear", "--json"])
    report = json.loads(result.stdout)
    assert report["sgd"]["r2"] == pytest.approx(report["closed_form"]["r2"], abs=0.01)
    assert (data_dir / "models" / "linear" / "1" / "weights.safetensors").exists()
