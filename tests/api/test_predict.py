"""A paid prediction: its answer, its headers, and the event that is durable when the answer arrives."""

import base64
from typing import Any

import httpx
import pytest

from app.metering.usage_event import Outcome, UsageEvent
from app.money import format_nanos
from app.period import Month
from tests.api.installation import ROW, ROW_ANSWER, Installation, Tenant, json_of
from tests.api.pictures import picture
from tests.api.problems import Expected, assert_problem

DIGITS = "/v1/models/vgg16-digits/predict"
PICTURES = [picture("PNG", shade=30), picture("JPEG", shade=90), picture("WEBP", shade=250)]


def the_event(faremeter: Installation, tenant: Tenant, response: httpx.Response) -> UsageEvent:
    """Return the account's one event, which must be the answer's."""
    (event,) = faremeter.events(tenant.account_id)
    body = json_of(response)
    assert event.id == body["id"]
    assert (event.model, event.version, event.key_id) == (body["model"], body["version"], tenant.key_id)
    assert (event.outcome, event.delivered, event.units) == (Outcome.SUCCEEDED, True, body["usage"]["units"])
    assert event.compute_us == round(body["usage"]["compute_ms"] * 1000)
    assert event.queue_us == round(body["usage"]["queue_ms"] * 1000)
    assert event.output_bytes == len(response.content)
    assert event.occurred_at == faremeter.clock.now()
    assert event.batch_id
    return event


async def test_a_row_is_answered_as_the_design_says(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    response = await faremeter.predict(tenant)
    event = the_event(faremeter, tenant, response)
    body = json_of(response)
    usage = body["usage"]
    assert list(body) == ["id", "model", "version", "outputs", "usage"]
    assert (body["model"], body["version"], body["outputs"]) == ("linear", 1, [ROW_ANSWER])
    assert list(usage) == ["units", "unit", "queue_ms", "compute_ms", "amount", "currency"]
    assert (usage["units"], usage["unit"], usage["amount"], usage["currency"]) == (1, "row", "0.00001", "USD")
    assert response.headers["content-type"] == "application/json"
    assert response.headers["faremeter-units"] == "1"
    assert response.headers["faremeter-amount"] == "0.00001"
    assert response.headers["x-request-id"].startswith("req_")
    assert "idempotent-replayed" not in response.headers
    assert (event.amount_nanos, event.input_bytes) == (10_000, 40)


async def test_many_rows_are_answered_in_their_order_and_charged_one_by_one(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    response = await faremeter.predict(tenant, [[0] * 9 + [number] for number in range(1000)])
    event = the_event(faremeter, tenant, response)
    assert [output["progression"] for output in json_of(response)["outputs"]] == [152 + 9 * n for n in range(1000)]
    assert json_of(response)["usage"]["amount"] == "0.01"
    assert event.amount_nanos == 10_000_000
    assert event.units == 1000


async def test_a_version_may_be_named(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    url = "/v1/models/linear/versions/1/predict"
    response = await faremeter.http.post(url, json={"inputs": [ROW]}, headers={"X-API-Key": tenant.secret})
    the_event(faremeter, tenant, response)
    assert json_of(response)["outputs"] == [ROW_ANSWER]


def as_base64() -> dict[str, Any]:
    return {"json": {"inputs": [{"b64": base64.b64encode(data).decode()} for data in PICTURES]}}


def as_form() -> dict[str, Any]:
    return {"files": [("file", (f"{place}.any", data)) for place, data in enumerate(PICTURES)]}


async def test_images_are_answered_alike_however_they_come(faremeter: Installation) -> None:
    answers = []
    for request in (as_base64(), as_form()):
        tenant = faremeter.tenant()
        response = await faremeter.http.post(DIGITS, headers=tenant.headers, **request)
        event = the_event(faremeter, tenant, response)
        assert (event.units, event.input_bytes) == (3, sum(map(len, PICTURES)))
        assert response.headers["faremeter-amount"] == "0.0015"
        answers.append(json_of(response)["outputs"])
    one_by_one = [await raw_image(faremeter, data) for data in PICTURES]
    for outputs in (*answers, one_by_one):
        assert [output["label"] for output in outputs] == [output["label"] for output in answers[0]]


async def raw_image(faremeter: Installation, data: bytes) -> Any:
    tenant = faremeter.tenant()
    headers = tenant.headers | {"Content-Type": "image/png; name=x"}  # the content decides, not the type
    response = await faremeter.http.post(DIGITS, content=data, headers=headers)
    the_event(faremeter, tenant, response)
    usage = json_of(response)["usage"]
    assert (usage["units"], usage["unit"], usage["amount"]) == (1, "image", "0.0005")
    (output,) = json_of(response)["outputs"]
    assert list(output) == ["label", "probability", "top"]
    assert output["top"][0] == {"label": output["label"], "probability": output["probability"]}
    assert len(output["top"]) == 3
    return output


async def test_a_graduated_price_gives_an_estimate_at_the_current_tier(faremeter: Installation) -> None:
    tenant = faremeter.tenant("tiered")
    for rows, estimate in ((7, "0.007"), (5, "0.004"), (2, "0.001")):  # 7; 3 and 2 across the boundary; 2 behind it
        response = await faremeter.predict(tenant, [ROW] * rows)
        usage = json_of(response)["usage"]
        assert (usage["amount"], usage["amount_estimate"]) == (None, estimate)
        assert "faremeter-amount" not in response.headers
        assert response.headers["faremeter-units"] == str(rows)
    assert [event.amount_nanos for event in faremeter.events(tenant.account_id)] == [None] * 3


async def test_the_estimates_of_a_period_add_up_to_its_invoice(faremeter: Installation) -> None:
    tenant = faremeter.tenant("tiered")
    answers = [json_of(await faremeter.predict(tenant, [ROW] * rows)) for rows in (4, 4, 4, 4)]
    now = faremeter.clock.now()
    faremeter.services.invoice_run.run(Month(now.year, now.month), tenant.account_id)
    (invoice,) = faremeter.services.invoices.list(tenant.account_id).invoices
    (line,) = [line for line in invoice.lines if line.model == "linear"]
    estimates = sum(int(float(answer["usage"]["amount_estimate"]) * 1e9 + 0.5) for answer in answers)
    assert (line.quantity, format_nanos(line.exact_nanos)) == (16, "0.013")
    assert estimates == line.exact_nanos


async def test_a_test_key_is_counted_free_of_charge_and_never_invoiced(faremeter: Installation) -> None:
    tenant = faremeter.tenant(live=False)
    response = await faremeter.predict(tenant, [ROW] * 3)
    event = the_event(faremeter, tenant, response)
    assert json_of(response)["usage"]["amount"] == "0.00"
    assert response.headers["faremeter-amount"] == "0.00"
    assert (event.live, event.units, event.amount_nanos) == (False, 3, 0)
    now = faremeter.clock.now()
    faremeter.services.invoice_run.run(Month(now.year, now.month), tenant.account_id)
    assert faremeter.services.invoices.list(tenant.account_id).invoices == []
    usage = json_of(await faremeter.http.get("/v1/usage?test=true", headers=tenant.headers))
    assert usage["total"]["units"] == 3


async def test_a_test_key_under_a_graduated_price_is_free_too(faremeter: Installation) -> None:
    tenant = faremeter.tenant("tiered", live=False)
    usage = json_of(await faremeter.predict(tenant))["usage"]
    assert usage["amount"] == "0.00"
    live = faremeter.another_key(tenant.account_id)
    assert json_of(await faremeter.predict(live, [ROW] * 10))["usage"]["amount_estimate"] == "0.01"


async def test_a_test_key_is_limited_and_the_refusal_names_the_limit(faremeter: Installation) -> None:
    tenant = faremeter.tenant(live=False)
    assert (await faremeter.predict(tenant, [ROW] * 119)).status_code == 200
    response = await faremeter.predict(tenant, [ROW] * 2)
    body = assert_problem(response, Expected(429, "rate_limited"))
    assert (body["limit"], body["limit_size"]) == ("test_key_units_per_minute", 120)
    assert 1 <= body["reset_s"] <= 60
    assert response.headers["retry-after"] == str(body["reset_s"]) == str(body["retry_after_s"])
    assert (await faremeter.predict(tenant)).status_code == 200  # the refused call consumed nothing
    assert sum(event.units for event in faremeter.events(tenant.account_id)) == 120
    neighbour = faremeter.another_key(tenant.account_id, live=False)
    assert (await faremeter.predict(neighbour, [ROW] * 120)).status_code == 200


@pytest.mark.parametrize("media_type", ["application/json; charset=utf-8", "Application/JSON"])
async def test_a_content_type_may_be_written_in_any_way(faremeter: Installation, media_type: str) -> None:
    tenant = faremeter.tenant()
    headers = tenant.headers | {"Content-Type": media_type}
    url = "/v1/models/linear/predict"
    assert (await faremeter.http.post(url, content=b'{"inputs":[[0,0,0,0,0,0,0,0,0,0]]}', headers=headers)).is_success
