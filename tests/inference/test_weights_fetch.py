"""Fetching in a child process: what it says is shown, what it wrote is served, what fails is not repeated at once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from app.inference.weights_fetch import FetchFailed, WeightsFetch, fetch_now

WRITES = """
def fetch(version_dir):
    (version_dir / "weights.safetensors").write_bytes(b"weights")
"""
FAILS = """
def fetch(version_dir):
    raise OSError("no route to host")
"""
# A download that has written something and then hears nothing more: opening the FIFO tells the test that it is so.
HANGS = """
import time
def fetch(version_dir):
    partial = version_dir / ".fetch-half"
    partial.write_bytes(b"half of it")
    try:
        held = (version_dir / "held").open("wb")
        time.sleep(600)
    finally:
        partial.unlink()
"""
# Starts a child as a server does, and waits for its own end.
SERVER = """
import sys
import time
from pathlib import Path
from app.inference.weights_fetch import WeightsFetch
fetch = WeightsFetch(Path(sys.argv[1]), Path(sys.argv[2]))
fetch.step()
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


def hold(version_dir: Path) -> Path:
    """Return a FIFO that a fetch by HANGS opens once it has written, and closes when it ends."""
    version_dir.mkdir(parents=True)
    os.mkfifo(version_dir / "held")
    return version_dir / "held"


def partial_files(version_dir: Path) -> list[str]:
    return [path.name for path in version_dir.glob(".fetch-*")]


def test_stopping_ends_the_child_and_drops_what_it_had_downloaded(tmp_path: Path, version_dir: Path) -> None:
    held = hold(version_dir)
    fetch = WeightsFetch(predictor(tmp_path, HANGS), version_dir)
    fetch.step()
    with held.open("rb"):
        assert len(partial_files(version_dir)) == 1
        fetch.stop()
    assert not fetch.running
    assert partial_files(version_dir) == []


def test_a_fetch_does_not_outlive_a_killed_server(tmp_path: Path, version_dir: Path) -> None:
    held = hold(version_dir)
    server = subprocess.Popen([sys.executable, "-c", SERVER, predictor(tmp_path, HANGS), version_dir])
    with held.open("rb") as child:
        assert len(partial_files(version_dir)) == 1
        server.kill()
        server.wait()
        assert child.read() == b""  # returns once the child is gone
    assert partial_files(version_dir) == []


def test_what_a_killed_fetch_left_is_dropped_before_the_next(tmp_path: Path, version_dir: Path) -> None:
    version_dir.mkdir(parents=True)
    for name in (".fetch-abc", ".fetch-abc.converted"):
        (version_dir / name).write_bytes(b"half of it")
    fetch_now(predictor(tmp_path, WRITES), version_dir)
    assert partial_files(version_dir) == []
    assert (version_dir / "weights.safetensors").read_bytes() == b"weights"


def test_two_processes_never_fetch_one_version_at_once(tmp_path: Path, version_dir: Path) -> None:
    held = hold(version_dir)
    fetch = WeightsFetch(predictor(tmp_path, HANGS), version_dir)
    fetch.step()
    with held.open("rb"):
        with pytest.raises(FetchFailed, match="another process is fetching"):
            fetch_now(predictor(tmp_path, WRITES), version_dir)
        assert len(partial_files(version_dir)) == 1
        fetch.stop()
