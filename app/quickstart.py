"""From a fresh clone to a serving installation: database, operator, plan, account, key, server, training."""

import contextlib
import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import httpx

from app import schema
from app.accounts.account import DEFAULT_SCOPES, Scope
from app.bootstrap import Books, open_books
from app.errors import Unavailable
from app.pricing.open_account import open_account
from app.settings import Settings

OPERATOR_EMAIL = "operator@localhost"
ACCOUNT_NAME = "Quickstart"
PLAN_FILE = Path("plans/payg.toml")
_READY_S_MAX = 120
_PATIENTS_ROW = "[0.038, 0.051, 0.062, 0.022, -0.044, -0.035, -0.043, -0.003, 0.02, -0.018]"
Say = Callable[[str], None]


class ServerNotReady(Unavailable):
    """The server process ended or did not answer in time."""

    code = "server_not_ready"


@dataclass(frozen=True, slots=True)
class Customer:
    """An account on the pay-as-you-go plan, and the secret of a fresh key of it."""

    account_id: str
    secret: str


def run(settings: Settings, *, host: str, port: int, say: Say) -> None:
    """Set up, serve until interrupted, and train the digits model once while the rest already answers."""
    end_on_signals()
    books = open_books(settings)
    set_up(books)
    password, customer = make_operator(books), quickstart_customer(books)
    with (
        contextlib.suppress(KeyboardInterrupt),
        serving(settings, host=host, port=port) as server,
        working(settings),
        training_digits(settings) as trainer,
    ):
        wait_until_ready(server.url, customer.secret, "linear")
        say(_welcome(server.url, customer, password, trains=trainer is not None))
        server.process.wait()
        raise ServerNotReady("the server has ended", where=str(settings.data_dir), hint="server.log says why")
    say("Faremeter has stopped.")


def end_on_signals() -> None:
    """Let SIGTERM and SIGINT end this process as Ctrl-C does, even in the background, so that children go along."""
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, signal.default_int_handler)


def set_up(books: Books) -> None:
    """Migrate and publish the example plan."""
    schema.upgrade(books.database)
    books.plans.publish(PLAN_FILE.read_text(encoding="utf-8"))


def make_operator(books: Books) -> str | None:
    """Make an operator where there is none; return the generated password, which is shown this once."""
    if books.accounts.has_operator():
        return None
    password = secrets.token_urlsafe(18)
    books.accounts.create_user(OPERATOR_EMAIL, password, operator=True)
    return password


def quickstart_customer(books: Books) -> Customer:
    """Return the quickstart account with a fresh key; the ones that earlier runs printed are revoked."""
    found = [account for account in books.accounts.list_accounts() if account.name == ACCOUNT_NAME]
    account_id = found[0].id if found else new_customer(books, ACCOUNT_NAME).account_id
    for key in books.accounts.list_keys(account_id):
        if key.name == ACCOUNT_NAME:
            books.accounts.revoke_key(account_id, key.id)
    new = books.accounts.create_key(account_id, name=ACCOUNT_NAME, scopes=DEFAULT_SCOPES | {Scope.KEYS_WRITE})
    return Customer(account_id, new.secret)


def new_customer(books: Books, name: str) -> Customer:
    """Return a new account on the example plan, with a key of the same name."""
    account = open_account(books.database, books.clock, name, currency="USD", zone="UTC", anchor_day=1, plan_key="payg")
    return Customer(account.id, books.accounts.create_key(account.id, name=name).secret)


@dataclass(frozen=True, slots=True)
class Server:
    """A serving process and its address."""

    url: str
    process: "subprocess.Popen[bytes]"


@contextlib.contextmanager
def serving(settings: Settings, *, host: str, port: int) -> Iterator[Server]:
    """Run `faremeter serve` as a process and yield it once it answers. Raises ServerNotReady."""
    log = settings.data_dir / "server.log"
    url = f"http://{host}:{port}"
    # What somebody set stays; else people can sign up on the example plan, and links in mails lead to this address.
    defaults = {"FAREMETER_PUBLIC_URL": url, "FAREMETER_DEFAULT_PLAN": "payg"}
    with _process(["serve", "--host", host, "--port", str(port)], log, defaults) as process:
        server = Server(url, process)
        deadline_s = time.monotonic() + _READY_S_MAX
        while not (_answers(server.url) and process.poll() is None):  # another server may have the port
            if process.poll() is not None or time.monotonic() > deadline_s:
                raise ServerNotReady("the server did not start", where=str(log), hint="the log's last lines say why")
            time.sleep(0.1)
        yield server


@contextlib.contextmanager
def working(settings: Settings) -> Iterator[None]:
    """Run `faremeter worker` beside the server."""
    with _process(["worker"], settings.data_dir / "worker.log"):
        yield


@contextlib.contextmanager
def training_digits(settings: Settings) -> Iterator[subprocess.Popen[bytes] | None]:
    """Train `vgg16-digits` in a process of its own where the data folder has no weights of it; else yield None."""
    if (settings.data_dir / "models" / "vgg16-digits" / "1" / "weights.safetensors").exists():
        yield None
        return
    with _process(["train", "vgg16"], None) as trainer:
        yield trainer


def wait_for_model(url: str, secret: str, model: str) -> str | None:
    """Wait while the model is loading; return None once it is ready, or the reason why it is not."""
    deadline_s = time.monotonic() + _READY_S_MAX
    while True:
        found = httpx.get(f"{url}/v1/models/{model}", headers={"Authorization": f"Bearer {secret}"}).json()
        if found["status"] != "loading" or time.monotonic() > deadline_s:
            return None if found["status"] == "ready" else str(found["reason"])
        time.sleep(0.2)


def wait_until_ready(url: str, secret: str, model: str) -> None:
    """Wait for weights that were just written to be noticed and loaded. Raises ServerNotReady."""
    deadline_s = time.monotonic() + _READY_S_MAX
    while reason := wait_for_model(url, secret, model):
        if time.monotonic() > deadline_s:
            raise ServerNotReady(f"{model} did not become ready: {reason}")
        time.sleep(0.2)


@contextlib.contextmanager
def _process(
    arguments: list[str], log: Path | None, defaults: Mapping[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a command of this program, and end it, and only it, when the block is left; `defaults` are settings."""
    if log is not None:
        log.parent.mkdir(parents=True, exist_ok=True)
    with log.open("ab") if log else contextlib.nullcontext() as output:
        process = subprocess.Popen(  # noqa: S603 - our own program, arguments from above
            [sys.executable, "-m", "app", *arguments],
            stdout=output,
            stderr=output,
            env={**(defaults or {}), **os.environ},
        )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.terminate()
        try:
            process.wait(timeout=40)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _answers(url: str) -> bool:
    try:
        return httpx.get(f"{url}/readyz", timeout=2).is_success
    except httpx.TransportError:
        return False


def _welcome(url: str, customer: Customer, password: str | None, *, trains: bool) -> str:
    known = f"set a new one with `faremeter user password {OPERATOR_EMAIL}`"
    digits = "vgg16-digits trains now and answers in about two minutes." if trains else "vgg16-digits is trained."
    return f"""
Faremeter serves at {url}

  portal     {url}/login
  operator   {OPERATOR_EMAIL}
  password   {password or f"was shown when it was made; {known}"}
  account    {customer.account_id}, plan payg
  key        {customer.secret}

A paid prediction:

  curl -s {url}/v1/models/linear/predict -H 'Authorization: Bearer {customer.secret}' \\
    -H 'Content-Type: application/json' -d '{{"inputs": [{_PATIENTS_ROW}]}}'

{digits} Logs are in the data folder. Ctrl-C ends everything."""
