"""A price of results is for models whose outputs have the field that it asks about."""

from dataclasses import replace
from decimal import Decimal

import pytest

from app.inference.manifest import ClassesOutput, Manifest
from app.metering.meter import Meter
from app.pricing.condition import Condition
from app.pricing.plan import Billing, PerUnit, PlanDraft, Price
from app.serving.results import PlanUnanswerable, PriceUnanswerable, count_results, refuse_unanswerable, require_answers
from tests.serving.test_payload import LINEAR

DIGITS = replace(LINEAR, name="digits", output=ClassesOutput(classes=10, top_k=3))
SURE = Condition("probability", at_least=Decimal("0.9"))
THREE = Condition("label", among=("3",))
HIGH = Condition("progression", at_least=Decimal(100))


def price(when: Condition | None, model: str = "*") -> Price:
    return Price(model, Meter.UNITS if when is None else Meter.RESULTS, PerUnit(1), when)


def draft(*prices: Price) -> PlanDraft:
    return PlanDraft("payg", "USD", Billing.POSTPAID, 0, prices)


def test_the_outputs_that_meet_the_condition_are_the_results() -> None:
    outputs = [
        {"label": "3", "probability": 0.9},
        {"label": "8", "probability": 0.95},
        {"label": "3", "probability": 0.2},
    ]
    assert count_results([price(None), price(SURE)], outputs) == 2
    assert count_results([price(THREE)], outputs) == 2
    assert count_results([price(HIGH)], outputs) == 0
    assert count_results([price(None)], outputs) == 0


ANSWERS = [(LINEAR, HIGH), (DIGITS, SURE), (DIGITS, THREE), (DIGITS, Condition("probability", among=("1", "0.5")))]
CANNOT = [
    (LINEAR, SURE),
    (LINEAR, Condition("progression", among=("high",))),
    (DIGITS, HIGH),
    (DIGITS, Condition("label", at_most=Decimal(5))),
    (DIGITS, Condition("top", among=("3",))),
]


@pytest.mark.parametrize(("manifest", "when"), ANSWERS)
def test_a_model_that_can_tell_is_sold(manifest: Manifest, when: Condition) -> None:
    require_answers([price(None), price(when)], manifest)
    refuse_unanswerable(draft(price(when, manifest.name)), [LINEAR, DIGITS])


@pytest.mark.parametrize(("manifest", "when"), CANNOT)
def test_a_model_that_cannot_tell_is_not_sold_and_a_plan_that_names_it_not_published(
    manifest: Manifest, when: Condition
) -> None:
    with pytest.raises(
        PriceUnanswerable, match=rf"results of {manifest.name} by their {when.field}, and an output has"
    ):
        require_answers([price(when)], manifest)
    with pytest.raises(PlanUnanswerable, match=rf"results of {manifest.name} cannot be told by their {when.field}"):
        refuse_unanswerable(draft(price(when, manifest.name)), [LINEAR, DIGITS])


@pytest.mark.parametrize("model", ["*", "to-come"])
def test_of_models_that_a_plan_does_not_name_or_that_are_not_there_only_a_call_can_tell(model: str) -> None:
    refuse_unanswerable(draft(price(HIGH, model)), [LINEAR, DIGITS])
