"""Results: the outputs of a call that meet the condition of its price, and models that cannot tell (pure)."""

from collections.abc import Iterable, Sequence

from app.errors import Forbidden, Invalid
from app.inference.manifest import FieldType, Manifest
from app.inference.prediction import Output
from app.pricing.condition import Condition
from app.pricing.plan import PlanDraft, Price


class PriceUnanswerable(Forbidden):
    """The plan's price asks about a field that the model's outputs do not have: the model cannot be sold by it."""

    code = "price_unanswerable"


class PlanUnanswerable(Invalid):
    """A plan is to price results of a model by a field that the model's outputs do not have."""

    code = "plan_unanswerable"


def count_results(prices: Sequence[Price], outputs: Sequence[Output]) -> int:
    """Return how many of the outputs count as results: none where no price asks for any."""
    for price in prices:  # one of them at most has a condition: a model has one price of results
        if price.when is not None:
            when = price.when
            return sum(when.holds(output.get(when.field)) for output in outputs)
    return 0


def require_answers(prices: Sequence[Price], manifest: Manifest) -> None:
    """Raise PriceUnanswerable where a price asks what the model's outputs do not say."""
    for price in prices:
        if price.when is not None and not _answers(manifest, price.when):
            raise PriceUnanswerable(
                f"the plan prices results of {manifest.name} by their {price.when.field}, and {_outputs_of(manifest)}",
                hint="ask the operator to price the model by what it answers",
            )


def refuse_unanswerable(draft: PlanDraft, manifests: Iterable[Manifest]) -> None:
    """Raise PlanUnanswerable where a draft names a model that is there and cannot answer the price's condition.

    Of a model that is not there yet, and of those that `*` stands for, only a call can tell.
    """
    known = {manifest.name: manifest for manifest in manifests}
    for price in draft.prices:
        manifest = known.get(price.model)
        if price.when is not None and manifest is not None and not _answers(manifest, price.when):
            raise PlanUnanswerable(
                f"results of {price.model} cannot be told by their {price.when.field}: {_outputs_of(manifest)}",
                where="price.when",
                hint="ask about one of those fields: a number by min, max or a list of numbers, a string by a list",
            )


def _answers(manifest: Manifest, condition: Condition) -> bool:
    types = {field.name: field.type for field in manifest.output.fields}
    match types.get(condition.field):
        case FieldType.NUMBER:
            return condition.suits_numbers
        case FieldType.STRING:
            return condition.suits_texts
        case None:
            return False


def _outputs_of(manifest: Manifest) -> str:
    return "an output has " + ", ".join(f"{field.name} (a {field.type})" for field in manifest.output.fields)
