"""The README's two commands, run as a newcomer runs them, over a data folder of their own.

In the short form `vgg16-digits` has weights that were not trained, so the demonstration does not wait for the training;
in the full form it trains, and the card it leaves says how well.
"""

import os
import re
import shlex
import signal
import socket
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest
from safetensors.torch import save_file

from app.inference.runner import load_module

ROOT = Path(__file__).parents[2]
DIGITS = Path("models/vgg16-digits/1")


@pytest.fixture(scope="module")
def data_dir(tmp_path_factory: pytest.TempPathFactory, n: Callable[[int, int], int]) -> Path:
    """The data folder that both commands share, as they do for a newcomer."""
    folder = tmp_path_factory.mktemp("data")
    if n(0, 1) == 0:
        network = load_module(ROOT / "models/vgg16-digits/predictor.py").build_network()
        (folder / DIGITS).mkdir(parents=True)
        save_file(network.state_dict(), folder / DIGITS / "weights.safetensors")
    return folder


@pytest.fixture(scope="module")
def environment(data_dir: Path) -> dict[str, str]:
    """The environment of a fresh installation that downloads nothing."""
    return {**os.environ, "FAREMETER_DATA_DIR": str(data_dir), "FAREMETER_FETCH_WEIGHTS": "false"}


@pytest.mark.timeout(900)
def test_the_demonstration_predicts_invoices_and_checks_itself(
    environment: dict[str, str], data_dir: Path, n: Callable[[int, int], int], figures: Callable[[str], None]
) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "app", "demo"], cwd=ROOT, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "linear, 9 units: 9 at 0.00001" in done.stdout
    assert "vgg16-digits, 24 units: 24 at 0.0005" in done.stdout
    assert "503 model_unavailable: vgg16 1 cannot answer now" in done.stdout
    assert "equals the caller's own sum from 33 units" in done.stdout
    assert "price per call" in done.stdout
    if n(0, 1):
        card = (data_dir / DIGITS / "card.md").read_text()
        accuracy = re.search(r"Held-out accuracy: ([\d.]+)%", card)
        assert accuracy
        assert float(accuracy[1]) >= 97
        figures(" ".join(card.split("\n\n")[1].split()) + f" Held-out accuracy {accuracy[1]}%.")


@pytest.fixture
def quickstart(environment: dict[str, str]) -> Iterator["subprocess.Popen[str]"]:
    """`faremeter quickstart` on a free port, ended as Ctrl-C ends it."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    command = [sys.executable, "-m", "app", "quickstart", "--port", str(port)]
    process = subprocess.Popen(command, cwd=ROOT, env=environment, stdout=subprocess.PIPE, text=True)
    yield process
    process.send_signal(signal.SIGINT)
    process.communicate(timeout=60)
    assert process.returncode == 0


@pytest.mark.timeout(300)
def test_after_it_the_quickstart_prints_a_password_and_a_curl_line_that_work(
    quickstart: "subprocess.Popen[str]",
) -> None:
    said = ""
    while "Ctrl-C" not in said:
        assert quickstart.stdout is not None
        line = quickstart.stdout.readline()
        assert line, said
        said += line
    url, headers, body = _curl_line(said)
    answer = httpx.post(url, headers=headers, content=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["usage"]["amount"] == "0.00001"
    password = re.search(r"password +(\S+)", said)
    assert password
    accounts = httpx.get(url.split("/v1/")[0] + "/v1/admin/accounts", auth=("operator@localhost", password[1]))
    assert "Quickstart" in [account["name"] for account in accounts.json()["data"]]


def _curl_line(said: str) -> tuple[str, dict[str, str], str]:
    """Return the URL, headers and body of the printed curl command, read as a shell reads it."""
    words = shlex.split(said[said.index("curl ") :].split("\n\n", maxsplit=1)[0].replace("\\\n", " "))
    url = next(word for word in words if word.startswith("http"))
    headers = [words[place + 1] for place, word in enumerate(words) if word == "-H"]
    return url, dict(header.split(": ", 1) for header in headers), words[words.index("-d") + 1]
