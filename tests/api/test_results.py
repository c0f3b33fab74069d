"""Paying for results: counted by the plan's own condition, said in the answer, recorded, and invoiced."""

import pytest

from app.billing.invoice import LineKind
from app.metering.meter import Meter
from app.money import parse_nanos
from tests.api.installation import OPERATOR, ROW, Installation, json_of
from tests.api.problems import Expected, assert_problem

PLANS = "/v1/admin/plans"
TOML = {"Content-Type": "application/toml"}
HEAD = 'key = "{key}"\ncurrency = "USD"\nbilling = "{billing}"\nbase_fee = "0"\n'
ROWS = [[0] * 9 + [number] for number in range(8)]  # `linear` answers 152, 161, 170 ... 215


def plan_of_results(key: str, model: str, condition: str, *, billing: str = "postpaid") -> str:
    price = f'[[price]]\nmodel = "{model}"\nmeter = "results"\nscheme = "per_unit"\nunit_price = "0.25"\n'
    return HEAD.format(key=key, billing=billing) + price + f"[price.when]\n{condition}\n"


HIGH_ONLY = 'field = "progression"\nmin = "188"\nmax = "206"'
HIGH = plan_of_results("high", "linear", HIGH_ONLY)
SURE = plan_of_results("sure", "*", 'field = "probability"\nmin = "0.5"')


async def test_outputs_that_meet_the_condition_are_charged_and_the_others_are_not(faremeter: Installation) -> None:
    faremeter.services.plans.publish(HIGH)
    tenant = faremeter.tenant("high")
    body = json_of(await faremeter.predict(tenant, ROWS))
    assert [output["progression"] for output in body["outputs"]][4:7] == [188, 197, 206]
    assert (body["usage"]["units"], body["usage"]["results"], body["usage"]["amount"]) == (8, 3, "0.75")
    nothing = json_of(await faremeter.predict(tenant, [ROW]))
    assert (nothing["usage"]["results"], nothing["usage"]["amount"]) == (0, "0.00")

    assert sorted(event.results for event in faremeter.events(tenant.account_id)) == [0, 3]
    (line,) = faremeter.services.invoice_preview.so_far(tenant.account_id).lines
    assert (line.kind, line.meter, line.quantity) == (LineKind.USAGE, Meter.RESULTS, 3)
    assert line.exact_nanos == parse_nanos("0.75")


async def test_the_catalogue_tells_the_condition_of_a_price(faremeter: Installation) -> None:
    faremeter.services.plans.publish(HIGH)
    tenant = faremeter.tenant("high")
    model = json_of(await faremeter.http.get("/v1/models/linear", headers=tenant.headers))
    (price,) = model["prices"]
    assert price["when"] == {"field": "progression", "min": "188", "max": "206"}


async def test_a_model_that_lacks_the_field_is_refused_before_it_runs(faremeter: Installation) -> None:
    faremeter.services.plans.publish(SURE)
    tenant = faremeter.tenant("sure")
    assert_problem(await faremeter.predict(tenant), Expected(403, "price_unanswerable"))
    assert faremeter.events(tenant.account_id) == []


@pytest.mark.parametrize(
    ("model", "condition"),
    [("linear", 'field = "probability"\nmin = "0.5"'), ("vgg16-digits", 'field = "label"\nmin = "3"')],
)
async def test_a_plan_that_names_a_model_without_the_field_is_not_published(
    faremeter: Installation, model: str, condition: str
) -> None:
    body = plan_of_results("unanswerable", model, condition)
    response = await faremeter.http.post(PLANS, content=body.encode(), headers=TOML, auth=OPERATOR)
    assert_problem(response, Expected(400, "plan_unanswerable", "price.when"))
    assert "unanswerable" not in {plan.plan_key for plan in faremeter.services.plans.list()}


async def test_credit_is_set_aside_for_every_output_and_drawn_for_those_that_count(faremeter: Installation) -> None:
    faremeter.services.plans.publish(plan_of_results("high-credit", "linear", HIGH_ONLY, billing="prepaid"))
    tenant = faremeter.tenant("high-credit")
    faremeter.services.credits.grant(tenant.account_id, amount_nanos=parse_nanos("1"))
    refused = await faremeter.predict(tenant, ROWS)  # eight results would come to 2.00
    assert_problem(refused, Expected(402, "insufficient_balance"))
    body = json_of(await faremeter.predict(tenant, ROWS[3:7]))  # four to 1.00, and three of them count
    assert (body["usage"]["results"], body["usage"]["amount"]) == (3, "0.75")

    balance = faremeter.services.credits.balance(tenant.account_id)
    assert (balance.available_nanos, balance.held_nanos) == (parse_nanos("0.25"), 0)
    so_far = faremeter.services.invoice_preview.so_far(tenant.account_id)
    assert (so_far.lines, so_far.from_credit_nanos) == ((), parse_nanos("0.75"))
    assert_problem(await faremeter.predict(tenant, ROWS[:2]), Expected(402, "insufficient_balance"))
    nothing = json_of(await faremeter.predict(tenant, ROWS[:1]))  # one might come to 0.25, and does not count
    assert nothing["usage"]["amount"] == "0.00"
    assert faremeter.services.credits.balance(tenant.account_id).available_nanos == parse_nanos("0.25")
