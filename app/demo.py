"""The demonstration: real inputs over HTTP, what they cost, and an invoice checked against an independent sum."""

import json
import socket
import tomllib
from base64 import b64encode
from collections import Counter
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

import httpx

from app.bootstrap import Books, open_books
from app.economics.price_table import price_facts
from app.errors import InvariantViolation
from app.period import Month
from app.quickstart import (
    PLAN_FILE,
    Say,
    end_on_signals,
    new_customer,
    serving,
    set_up,
    training_digits,
    wait_for_model,
    wait_until_ready,
)
from app.settings import Settings
from app.training.held_out import held_out_digits, held_out_patients, sample_photograph

_PATIENTS, _DIGITS = 8, 24
_HOST = "127.0.0.1"


@dataclass(slots=True)
class Caller:
    """Somebody with a key: sends calls, and keeps its own account of what it was told."""

    http: httpx.Client
    units: Counter[str] = field(default_factory=Counter)

    def predict(self, model: str, **request: Any) -> httpx.Response:
        """Send one call; a success is counted by the units that its answer names."""
        response = self.http.post(f"/v1/models/{model}/predict", **request)
        if response.is_success and "idempotent-replayed" not in response.headers:
            self.units[model] += response.json()["usage"]["units"]
        return response


def demonstrate(settings: Settings, *, say: Say) -> None:
    """Run the demonstration. Raises InvariantViolation where the invoice and the independent sum differ."""
    end_on_signals()
    books = open_books(settings)
    set_up(books)
    customer = new_customer(books, "Demo")
    with serving(settings, host=_HOST, port=_free_port()) as server, training_digits(settings) as trainer:
        headers = {"Authorization": f"Bearer {customer.secret}"}
        with httpx.Client(base_url=server.url, headers=headers, timeout=60) as http:
            say(f"Faremeter serves at {server.url}; account {customer.account_id} is on plan payg.")
            caller = Caller(http)
            wait_until_ready(server.url, customer.secret, "linear")
            _rows(caller, say)
            wait_for_model(server.url, customer.secret, "vgg16")
            _photograph(caller, say)
            if trainer is not None:
                say("\nvgg16-digits is being trained; linear answers meanwhile.")
                trainer.wait()
            wait_until_ready(server.url, customer.secret, "vgg16-digits")
            _digits(caller, say)
            _repeat(caller, say)
            _usage(caller, say)
            _invoice(books, caller, customer.account_id, say)
            _price(books, say)


def _rows(caller: Caller, say: Say) -> None:
    rows, truths = held_out_patients(_PATIENTS)
    answer = caller.predict("linear", json={"inputs": rows}).json()
    say("\nlinear, held-out diabetes patients (progression after one year):")
    for output, truth in zip(answer["outputs"], truths, strict=True):
        say(f"  predicted {output['progression']:6.1f}   true {truth:6.1f}")
    say(f"  usage {json.dumps(answer['usage'])}")


def _photograph(caller: Caller, say: Say) -> None:
    say("\nvgg16, a photograph of a flower:")
    before = caller.http.get("/v1/usage").json()["total"]
    response = caller.predict("vgg16", content=sample_photograph(), headers={"Content-Type": "image/jpeg"})
    if response.is_success:
        for guess in response.json()["outputs"][0]["top"]:
            say(f"  {guess['probability']:6.1%}  {guess['label']}")
        return
    problem, after = response.json(), caller.http.get("/v1/usage").json()["total"]
    say(f"  {response.status_code} {problem['code']}: {problem['detail']}")
    say(f"  and it cost nothing: usage was {before['units']} units before, {after['units']} after")
    if before != after:
        raise InvariantViolation("a call that failed was counted")


def _digits(caller: Caller, say: Say) -> None:
    digits = held_out_digits(_DIGITS)
    half = len(digits) // 2
    parts = [("file", (f"{place}.png", png, "image/png")) for place, (png, _) in enumerate(digits[:half])]
    outputs = caller.predict("vgg16-digits", files=parts).json()["outputs"]
    encoded = [{"b64": b64encode(png).decode()} for png, _ in digits[half:-1]]
    outputs += caller.predict("vgg16-digits", json={"inputs": encoded}).json()["outputs"]
    answer = caller.predict("vgg16-digits", content=digits[-1][0], headers={"Content-Type": "image/png"}).json()
    outputs += answer["outputs"]
    right = sum(output["label"] == str(truth) for output, (_, truth) in zip(outputs, digits, strict=True))
    say(f"\nvgg16-digits, {len(digits)} held-out digits as multipart, base64 and raw PNG: {right} right")
    say("  " + "  ".join(f"{o['label']} ({o['probability']:.0%})" for o in outputs[:8]) + "  …")
    say(f"  usage {json.dumps(answer['usage'])}")


def _repeat(caller: Caller, say: Say) -> None:
    rows, _ = held_out_patients(1)
    headers = {"Idempotency-Key": "demo-1"}
    first = caller.predict("linear", json={"inputs": rows}, headers=headers)
    second = caller.predict("linear", json={"inputs": rows}, headers=headers)
    if first.content != second.content or second.headers.get("idempotent-replayed") != "true":
        raise InvariantViolation("a repeat under one Idempotency-Key was not replayed")
    say("\nThe same call twice under one Idempotency-Key: one answer, one charge.")


def _usage(caller: Caller, say: Say) -> None:
    usage = caller.http.get("/v1/usage", params={"group_by": "model"}).json()
    say("\nUsage:")
    for row in usage["data"]:
        say(f"  {row['model']:13} {row['requests']:4} requests {row['units']:5} units {row['compute_ms']:6} ms compute")


def _invoice(books: Books, caller: Caller, account_id: str, say: Say) -> None:
    now = books.clock.now()
    books.invoice_run.run(Month(now.year, now.month), account_id)
    (invoice,) = caller.http.get("/v1/invoices").json()["data"]
    say(f"\nInvoice, {invoice['status']}, {invoice['period_start'][:10]} to {invoice['period_end'][:10]}:")
    for line in invoice["lines"]:
        say(f"  {line['description']:58} {line['exact_amount']:>10} {invoice['currency']}")
    say(f"  {'total':58} {invoice['total']:>10} {invoice['currency']}")
    invoiced = {line["model"]: Decimal(line["exact_amount"]) for line in invoice["lines"]}
    expected = independent_sum(PLAN_FILE.read_text(encoding="utf-8"), caller.units)
    if invoiced != expected:
        raise InvariantViolation(f"the invoice says {invoiced}, the caller's own sum {expected}")
    say(f"  equals the caller's own sum from {sum(caller.units.values())} units and the plan file, line by line")


def independent_sum(plan_toml: str, units: Counter[str]) -> dict[str, Decimal]:
    """Return what each model's units cost, from the plan file alone, with decimals and none of Faremeter's code."""
    prices = {price["model"]: price for price in tomllib.loads(plan_toml)["price"]}
    return {model: _cost(prices[model], count) for model, count in units.items()}


def _cost(price: dict[str, Any], units: int) -> Decimal:
    tiers = price.get("tier") or [{"unit_price": price["unit_price"]}]
    cost, done = Decimal(0), 0
    for tier in tiers:
        reach = min(units, tier.get("up_to", units))
        cost += (reach - done) * Decimal(tier["unit_price"])
        done = reach
    return cost


def _price(books: Books, say: Say) -> None:
    suggestion = books.economics.suggest_price("vgg16-digits", "60%")
    facts = price_facts(suggestion)
    say("\nWhat vgg16-digits should cost at a margin of 60% (faremeter price suggest vgg16-digits --margin 60%):")
    for name, value in facts.items():
        say(f"  {name.replace('_', ' '):24} {'-' if value is None else value}")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind((_HOST, 0))
        return int(probe.getsockname()[1])
