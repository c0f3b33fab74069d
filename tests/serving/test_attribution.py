"""A prediction becomes an event and an answer that say the same."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.account import DEFAULT_SCOPES, Principal
from app.charging.limits.permit import NO_LIMITS
from app.inference.engine import ServedVersion
from app.inference.inputs import ModelInput
from app.inference.prediction import Prediction
from app.metering.meter import Meter, Quantities
from app.metering.usage_event import Outcome
from app.money import parse_nanos
from app.pricing.condition import Condition
from app.pricing.plan import Billing, PerUnit, PlanVersion, Price
from app.rating.call_charge import CallCharge, charge_of_call
from app.serving.admission import Admission
from app.serving.attribution import answer_of, charge_to, failure_event_of, quantities_of, usage_event_of
from tests.serving.test_payload import LINEAR

NOW = datetime(2026, 3, 15, 12, tzinfo=UTC)
PLAN = PlanVersion("plv_1", "payg", 1, "USD", Billing.POSTPAID, 0, (), NOW)
LIVE = Principal("acct_1", "key_1", live=True, scopes=DEFAULT_SCOPES)
PREDICTION = Prediction([{"progression": 1.5}] * 3, 3, 1234, 56789, "bat_1", "linear", 1)
USED = Quantities(requests=1, units=3, compute_ms=57)

HIGH = Price("linear", Meter.RESULTS, PerUnit(7), Condition("progression", at_least=Decimal("1.5")))


def admission(*, live: bool = True, prices: tuple[Price, ...] = ()) -> Admission:
    principal = replace(LIVE, live=live)
    return Admission("evt_1", NOW, principal, ServedVersion(LINEAR, 1), PLAN, prices, ModelInput(3, 120), NO_LIMITS)


def test_an_answer_repeats_what_the_event_holds() -> None:
    charge = CallCharge(30_000, 30_000)
    answer = answer_of(admission(), PREDICTION, USED, charge)
    body = json.loads(answer.stored.body)
    output_bytes = len(answer.stored.body)
    event = usage_event_of(admission(), PREDICTION, USED, charge, output_bytes=output_bytes, delivered=True)
    assert body["id"] == event.id == "evt_1"
    assert (body["usage"]["queue_ms"], body["usage"]["compute_ms"]) == (1.234, 56.789)
    assert (event.queue_us, event.compute_us, event.batch_id) == (1234, 56789, "bat_1")
    assert (answer.units, answer.amount) == (event.units, "0.00003") == (3, body["usage"]["amount"])
    assert (answer.stored.status_code, answer.stored.content_type) == (200, "application/json")
    assert event.quantities == quantities_of(PREDICTION, ()) == USED


def test_results_are_counted_said_and_recorded_where_they_are_priced() -> None:
    prediction = replace(PREDICTION, outputs=[{"progression": value} for value in (1.5, 1.4999999, 2.0)])
    used = quantities_of(prediction, [HIGH])
    assert used == replace(USED, results=2)
    charge = charge_of_call([HIGH], used, Quantities())
    answer = answer_of(admission(prices=(HIGH,)), prediction, used, charge)
    usage = json.loads(answer.stored.body)["usage"]
    assert (usage["results"], usage["amount"]) == (2, "0.000000014")
    event = usage_event_of(admission(), prediction, used, charge, output_bytes=1, delivered=True)
    assert (event.results, event.quantities) == (2, used)


def test_an_answer_is_silent_of_results_that_nobody_prices() -> None:
    answer = answer_of(admission(), PREDICTION, USED, CallCharge(5, 5))
    assert "results" not in json.loads(answer.stored.body)["usage"]


@given(nanos=st.integers(min_value=0, max_value=10**18))
def test_an_amount_is_exact_to_the_nano_in_the_answer(nanos: int) -> None:
    answer = answer_of(admission(), PREDICTION, USED, CallCharge(nanos, nanos))
    assert answer.amount is not None
    assert parse_nanos(answer.amount) == nanos
    assert "amount_estimate" not in json.loads(answer.stored.body)["usage"]


@given(nanos=st.integers(min_value=0, max_value=10**18))
def test_what_only_the_invoice_can_tell_is_an_estimate(nanos: int) -> None:
    answer = answer_of(admission(), PREDICTION, USED, CallCharge(None, nanos))
    usage = json.loads(answer.stored.body)["usage"]
    assert answer.amount is None
    assert usage["amount"] is None
    assert parse_nanos(usage["amount_estimate"]) == nanos


def test_a_test_key_is_charged_nothing() -> None:
    for charge in (CallCharge(5, 5), CallCharge(None, 5)):
        assert charge_to(admission(live=False), charge) == CallCharge(0, 0)
        assert charge_to(admission(), charge) == charge


@pytest.mark.parametrize("live", [True, False])
def test_a_failure_is_an_event_of_nothing(live: bool) -> None:
    event = failure_event_of(admission(live=live))
    assert (event.outcome, event.live, event.plan_version_id) == (Outcome.FAILED, live, "plv_1")
    assert (event.units, event.results, event.amount_nanos, event.compute_us) == (0, 0, 0, 0)
    assert event.input_bytes == 120
