"""Who used what: a prediction becomes a usage event and an answer (pure)."""

from collections.abc import Sequence

import msgspec

from app.charging.claim import StoredAnswer
from app.inference.prediction import BatchFact, Prediction
from app.metering.meter import Meter, Quantities
from app.metering.usage_event import BatchRecord, Outcome, UsageEvent, compute_ms
from app.money import format_money
from app.pricing.plan import Price
from app.rating.call_charge import CallCharge
from app.serving.admission import Admission
from app.serving.call import JSON_TYPE, Answer
from app.serving.results import count_results

_FREE = CallCharge(0, 0)
_encode = msgspec.json.Encoder().encode


class _Usage(msgspec.Struct):
    """What `answer_of` wrote of a call's usage, as far as headers repeat it."""

    units: int
    amount: str | None


class _Answered(msgspec.Struct):
    usage: _Usage


_decode = msgspec.json.Decoder(_Answered).decode


def quantities_of(prediction: Prediction, prices: Sequence[Price]) -> Quantities:
    """Return the billable quantities of a success; results are counted where one of the prices is for them."""
    return Quantities(
        requests=1,
        units=prediction.items,
        compute_ms=compute_ms(prediction.compute_us),
        results=count_results(prices, prediction.outputs),
    )


def charge_to(admission: Admission, charge: CallCharge) -> CallCharge:
    """Return what the caller is charged: nothing under a test key."""
    return charge if admission.principal.live else _FREE


def answer_of(admission: Admission, prediction: Prediction, used: Quantities, charge: CallCharge) -> Answer:
    """Return the answer with its usage block.

    `amount` is null where only the invoice can tell; `results` is there where the plan prices them.
    """
    currency = admission.plan_version.currency
    amount = None if charge.amount_nanos is None else format_money(charge.amount_nanos, currency)
    usage: dict[str, object] = {
        "units": prediction.items,
        "unit": admission.served.manifest.unit,
        "queue_ms": prediction.queue_us / 1000,
        "compute_ms": prediction.compute_us / 1000,
        "amount": amount,
        "currency": currency,
    }
    if any(price.meter is Meter.RESULTS for price in admission.prices):
        usage["results"] = used.results
    if amount is None:
        usage["amount_estimate"] = format_money(charge.estimate_nanos, currency)
    body = _encode(
        {
            "id": admission.event_id,
            "model": prediction.model,
            "version": prediction.version,
            "outputs": prediction.outputs,
            "usage": usage,
        }
    )
    return Answer(StoredAnswer(200, JSON_TYPE, body), units=prediction.items, amount=amount)


def replay_of(stored: StoredAnswer) -> Answer:
    """Return the answer of an earlier call for its repeat, which says the same of its usage, headers included."""
    usage = _decode(stored.body).usage
    return Answer(stored, units=usage.units, amount=usage.amount, replayed=True)


def usage_event_of(
    admission: Admission,
    prediction: Prediction,
    used: Quantities,
    charge: CallCharge,
    *,
    output_bytes: int,
    delivered: bool,
) -> UsageEvent:
    """Return the event of a call that succeeded."""
    return UsageEvent(
        id=admission.event_id,
        account_id=admission.principal.account_id,
        key_id=admission.principal.key_id,
        live=admission.principal.live,
        model=prediction.model,
        version=prediction.version,
        plan_version_id=admission.plan_version.id,
        occurred_at=admission.occurred_at,
        outcome=Outcome.SUCCEEDED,
        delivered=delivered,
        units=used.units,
        results=used.results,
        compute_us=prediction.compute_us,
        queue_us=prediction.queue_us,
        input_bytes=admission.model_input.input_bytes,
        output_bytes=output_bytes,
        batch_id=prediction.batch_id,
        amount_nanos=charge.amount_nanos,
    )


def batch_record_of(fact: BatchFact) -> BatchRecord:
    """Return what the books keep of an executed batch."""
    return BatchRecord(
        id=fact.id,
        model=fact.model,
        version=fact.version,
        device=fact.device,
        engine=fact.engine,
        started_at=fact.started_at,
        ended_at=fact.ended_at,
        compute_us=fact.compute_us,
        calls=fact.calls,
        items=fact.items,
        bucket=fact.bucket,
        items_failed=fact.items_failed,
        items_cancelled=fact.items_cancelled,
    )


def failure_event_of(admission: Admission) -> UsageEvent:
    """Return the event of a call that the model failed: it happened, and it is free."""
    return UsageEvent(
        id=admission.event_id,
        account_id=admission.principal.account_id,
        key_id=admission.principal.key_id,
        live=admission.principal.live,
        model=admission.served.model,
        version=admission.served.number,
        plan_version_id=admission.plan_version.id,
        occurred_at=admission.occurred_at,
        outcome=Outcome.FAILED,
        delivered=True,
        units=0,
        results=0,
        compute_us=0,
        queue_us=0,
        input_bytes=admission.model_input.input_bytes,
        output_bytes=0,
        batch_id=None,
        amount_nanos=0,
    )
