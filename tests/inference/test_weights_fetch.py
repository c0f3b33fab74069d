"""Fetching in a child process: what it says is shown, what it wrote is served, what fails is not repeated at once."""

from pathlib import Path

import pytest

from app.inference.weights_fetch import FetchFailed, WeightsFetch, fetch_now

WRITES = """
def fetch(version_dir):
    version_dir.mkdir(parents=True)
    (version_dir / "weights.safetensors").write_bytes(b"weights")
"""
FAILS = """
def fetch(version_dir):
    raise OSError("no route to host")
"""
HANGS = """
import time
def fetch(version_dir):
    version_dir.mkdir(parents=True)
    time.sleep(600)
"""


@pytest.fixture
def version_dir(tmp_path: Path) -> Path:
    return tmp_path / "data" / "models" / "m" / "1"


def predictor(tmp_path: Path, text: str) -> Path:
    file = tmp_path / "predictor.py"
    file.write_text(text)
    return file


def test_what_the_predictor_fetches_is_in_place_afterwards(tmp_path: Path, version_dir: Path) -> None:
    fetch_now(predictor(tmp_path, WRITES), version_dir)
    assert (version_dir / "weights.safetensors").read_bytes() == b"weights"


def test_the_reason_of_a_failure_is_told(tmp_path: Path, version_dir: Path) -> None:
    with pytest.raises(FetchFailed, match="no route to host"):
        fetch_now(predictor(tmp_path, FAILS), version_dir)


def test_a_model_that_cannot_fetch_says_so(tmp_path: Path, version_dir: Path) -> None:
    with pytest.raises(FetchFailed, match="does not know"):
        fetch_now(predictor(tmp_path, ""), version_dir)


def test_a_failed_attempt_is_not_repeated_at_once(tmp_path: Path, version_dir: Path) -> None:
    fetch = WeightsFetch(predictor(tmp_path, FAILS), version_dir)
    assert "being fetched" in fetch.step()
    while fetch.running:
        reason = fetch.step()
    assert "no route to host" in reason
    assert "the next try is later" in fetch.step()
    assert not fetch.running


def test_stopping_ends_the_child(tmp_path: Path, version_dir: Path) -> None:
    fetch = WeightsFetch(predictor(tmp_path, HANGS), version_dir)
    fetch.step()
    fetch.stop()
    assert not fetch.running
