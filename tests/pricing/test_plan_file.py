"""Each mistake in a plan file is named with what it is, where it is, and how to mend it."""

from decimal import Decimal

import pytest

from app.errors import Invalid
from app.metering.meter import Meter
from app.pricing.bounds import unbounded_price_of
from app.pricing.condition import Condition
from app.pricing.plan import Billing, Graduated, PerUnit, PlanDraft, Price, Tier
from app.pricing.plan_file import parse_plan

HEAD = 'key = "payg"\ncurrency = "USD"\nbilling = "postpaid"\nbase_fee = "9.99"\n'
PRICE = '[[price]]\nmodel = "linear"\nmeter = "units"\nscheme = "per_unit"\nunit_price = "0.00001"\n'
TIERED = '[[price]]\nmodel = "vgg16"\nmeter = "units"\nscheme = "graduated"\n'
FREE = '[[price.tier]]\nup_to = 1000\nunit_price = "0"\n'
OPEN = '[[price.tier]]\nunit_price = "0.002"\n'
RESULTS = PRICE.replace('"units"', '"results"')
WHEN = '[price.when]\nfield = "probability"\n'
PREPAID_HEAD = HEAD.replace('"postpaid"', '"prepaid"').replace('"9.99"', '"0"')


def test_a_plan_file_becomes_a_draft_in_exact_nanos() -> None:
    assert parse_plan(HEAD + TIERED + FREE + OPEN + PRICE) == PlanDraft(
        key="payg",
        currency="USD",
        billing=Billing.POSTPAID,
        base_fee_nanos=9_990_000_000,
        prices=(
            Price("linear", Meter.UNITS, PerUnit(10_000)),
            Price("vgg16", Meter.UNITS, Graduated((Tier(1000, 0), Tier(None, 2_000_000)))),
        ),
    )


def test_one_model_may_have_a_price_on_each_meter_and_a_star_stands_for_the_rest() -> None:
    requests = PRICE.replace('"units"', '"requests"')
    star = PRICE.replace('"linear"', '"*"').replace('"units"', '"compute_ms"')
    assert [(price.model, price.meter) for price in parse_plan(HEAD + PRICE + requests + star).prices] == [
        ("*", Meter.COMPUTE_MS),
        ("linear", Meter.REQUESTS),
        ("linear", Meter.UNITS),
    ]


def test_a_price_of_results_says_which_outputs_count() -> None:
    (bounded,) = parse_plan(HEAD + RESULTS + WHEN + 'min = "0.50"\nmax = "01"\nin = ["0.7", "0.6", "0.7"]\n').prices
    assert bounded.when == Condition("probability", Decimal("0.5"), Decimal(1), ("0.6", "0.7"))
    (labelled,) = parse_plan(HEAD + RESULTS + '[price.when]\nfield = "label"\nin = ["tabby cat", "lynx"]\n').prices
    assert labelled.when == Condition("label", among=("lynx", "tabby cat"))


def test_a_prepaid_plan_sells_what_can_be_bounded_before_a_call_runs() -> None:
    plan = parse_plan(PREPAID_HEAD + TIERED + OPEN + RESULTS + WHEN + 'min = "0.5"\n')
    assert plan.billing is Billing.PREPAID
    assert unbounded_price_of(plan) is None
    postpaid = parse_plan(HEAD + PRICE + PRICE.replace('"units"', '"compute_ms"'))
    assert unbounded_price_of(postpaid) == Price("linear", Meter.COMPUTE_MS, PerUnit(10_000))


def without(field: str, text: str) -> str:
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(f"{field} "))


MISTAKES = [
    # what stands in the file, where the mistake is, what it says, how to mend it
    ("key = ", "plan file", "this is not TOML: Invalid value (at end of document)", "toml.io"),
    (HEAD + PRICE + 'unit_price = "1"\n', "plan file", "Cannot overwrite a value", "toml.io"),
    ("x = " + "[" * 5000 + "]" * 5000, "plan file", "nested too deeply", "toml.io"),
    ("#" * 300_000, "plan file", "too long", "262144"),
    (HEAD, "price", "price is missing", "add [[price]]"),
    (HEAD + "price = []\n", "price", "there are 0", "1 to 1000 [[price]]"),
    (HEAD + "price = 5\n", "price", "not a list of tables", "[[price]]"),
    (HEAD.replace("currency", "curency") + PRICE, "curency", "'curency' is not a field", "did you mean currency?"),
    (HEAD + "colour = 1\n" + PRICE, "colour", "'colour' is not a field", "key, currency, billing"),
    (without("key", HEAD) + PRICE, "key", "key is missing", 'add key = "payg"'),
    (HEAD.replace('"payg"', '"Pay as you go"') + PRICE, "key", "'Pay as you go' is not a key", "a-z 0-9"),
    (HEAD.replace('"payg"', '""') + PRICE, "key", "key is empty", 'key = "payg"'),
    (HEAD.replace('"payg"', "7") + PRICE, "key", "7 is not a string", 'key = "payg"'),
    (HEAD.replace('"payg"', "true") + PRICE, "key", "true is not a string", 'key = "payg"'),
    (HEAD.replace('"payg"', '"*"') + PRICE, "key", "'*' is not a key", "a-z"),
    (HEAD.replace('"USD"', '"usd"') + PRICE, "currency", "'usd' is not a currency code", "three capital letters"),
    (HEAD.replace('"postpaid"', '"prepaid"') + PRICE, "base_fee", "a prepaid plan has no base fee", 'base_fee = "0"'),
    (
        PREPAID_HEAD + PRICE + PRICE.replace('"units"', '"compute_ms"'),
        "price[1].meter",
        "what compute_ms will cost is not known before a call runs",
        "units, requests or results",
    ),
    (HEAD.replace('"postpaid"', '"gratis"') + PRICE, "billing", "'gratis' is not a billing", "postpaid"),
    (without("base_fee", HEAD) + PRICE, "base_fee", "base_fee is missing", 'add base_fee = "0"'),
    (HEAD.replace('"9.99"', "9.99") + PRICE, "base_fee", "base_fee = 9.99 is a bare number", 'base_fee = "9.99"'),
    (HEAD.replace('"9.99"', "10") + PRICE, "base_fee", "base_fee = 10 is a bare number", 'base_fee = "10"'),
    (HEAD.replace('"9.99"', "nan") + PRICE, "base_fee", "base_fee = nan is a bare number", 'quote it: base_fee = "0"'),
    (HEAD.replace('"9.99"', '"NaN"') + PRICE, "base_fee", "'NaN' is not an amount", "decimal string"),
    (HEAD.replace('"9.99"', "true") + PRICE, "base_fee", "True is not an amount", "decimal string"),
    (HEAD.replace('"9.99"', '"-1"') + PRICE, "base_fee", "-1 is negative", "zero or more"),
    (HEAD.replace('"9.99"', '"1000000000.01"') + PRICE, "base_fee", "above 1,000,000,000", "at most 1e9"),
    (HEAD + without("model", PRICE), "price[0].model", "model is missing", 'add model = "linear"'),
    (HEAD + PRICE + PRICE.replace("linear", "no/slash"), "price[1].model", "is not a model", '"*" for every model'),
    (HEAD + PRICE.replace('"units"', '"tokens"'), "price[0].meter", "'tokens' is not a meter", "units, requests"),
    (HEAD + RESULTS, "price[0].when", "when is missing", "add [price.when]"),
    (HEAD + RESULTS + "when = 5\n", "price[0].when", "when is not a table", "[price.when]"),
    (HEAD + RESULTS + WHEN, "price[0].when", "it asks for nothing", 'min = "0.5"'),
    (HEAD + RESULTS + WHEN + 'least = "1"\n', "price[0].when.least", "'least' is not a field", "field, min, max, in"),
    (HEAD + RESULTS + '[price.when]\nmin = "1"\n', "price[0].when.field", "field is missing", 'field = "probability"'),
    (HEAD + RESULTS + WHEN.replace("prob", "Prob"), "price[0].when.field", "cannot name a field", "GET /v1/models"),
    (HEAD + RESULTS + WHEN + "min = 0.5\n", "price[0].when.min", "min = 0.5 is not a quoted", 'min = "0.5"'),
    (HEAD + RESULTS + WHEN + "max = 1\n", "price[0].when.max", "max = 1 is not a quoted", 'max = "1"'),
    (HEAD + RESULTS + WHEN + 'min = "1e-3"\n', "price[0].when.min", "'1e-3' is not a decimal number", "plainly"),
    (HEAD + RESULTS + WHEN + 'min = "½"\n', "price[0].when.min", "'½' is not a decimal number", "plainly"),
    (HEAD + RESULTS + WHEN + f'min = "{"9" * 21}"\n', "price[0].when.min", "not a decimal number", "20 digits"),
    (HEAD + RESULTS + WHEN + 'min = "0.9"\nmax = "0.5"\n', "price[0].when.min", "at least 0.9 and at", '"0.5" or less'),
    (HEAD + RESULTS + WHEN + "in = []\n", "price[0].when.in", "in is not a list of 1 to 1000", '["cat", "dog"]'),
    (HEAD + RESULTS + WHEN + "in = [3]\n", "price[0].when.in[0]", "3 is not a string", "quote each"),
    (HEAD + RESULTS + WHEN + 'in = ["a", ""]\n', "price[0].when.in[1]", "1 to 200 characters", "as the model answers"),
    (HEAD + RESULTS + WHEN + 'in = ["a\\nb"]\n', "price[0].when.in[0]", "on one line", "as the model answers"),
    (HEAD + RESULTS + WHEN + 'min = "0"\nin = ["cat"]\n', "price[0].when.in", "bounds are for numbers", "either out"),
    (HEAD + PRICE.replace('"per_unit"', '"volume"'), "price[0].scheme", "'volume' is not part", "per_unit, graduated"),
    (
        HEAD + PRICE.replace('"per_unit"', '"package"'),
        "price[0].scheme",
        "'package' is not part",
        "per_unit, graduated",
    ),
    (
        HEAD + PRICE.replace('"per_unit"', '"magic"'),
        "price[0].scheme",
        "'magic' is not a scheme",
        "per_unit, graduated",
    ),
    (HEAD + PRICE + PRICE, "price[1]", "units of model 'linear' has a price already, at price[0]", "one price"),
    (
        HEAD + PRICE.replace('"0.00001"', "0.002"),
        "price[0].unit_price",
        "unit_price = 0.002 is a bare number",
        'quote it: unit_price = "0.002"',
    ),
    (HEAD + PRICE.replace('"0.00001"', "1e-5"), "price[0].unit_price", "unit_price = 1e-5 is a bare", '"0.002"'),
    (HEAD + PRICE.replace('"0.00001"', '"1e-5"'), "price[0].unit_price", "'1e-5' is not an amount", "0.002"),
    (
        HEAD + PRICE.replace('"0.00001"', '"0.0000000001"'),
        "price[0].unit_price",
        "0.0000000001 has more than 9 decimals",
        "0.000000001",
    ),
    (HEAD + PRICE + "[[price.tier]]\n", "price[0].tier", "'tier' is not a field", "unit_price"),
    (HEAD + TIERED, "price[0].tier", "tier is missing", "add [[price.tier]]"),
    (HEAD + TIERED + 'unit_price = "1"\n', "price[0].unit_price", "'unit_price' is not a field", "tier"),
    (HEAD + TIERED + FREE, "price[0].tier[0].up_to", "the last tier ends at 1000", "without up_to"),
    (HEAD + TIERED + OPEN + FREE, "price[0].tier[1]", "a tier follows the open one", "only the last tier"),
    (HEAD + TIERED + OPEN + OPEN, "price[0].tier[1]", "a tier follows the open one", "only the last tier"),
    (HEAD + TIERED + FREE + FREE + OPEN, "price[0].tier[1].up_to", "overlaps the tier before", "use 1001 or more"),
    (HEAD + TIERED + FREE.replace("1000", "0") + OPEN, "price[0].tier[0].up_to", "0 is out of range", "use 1 to"),
    (HEAD + TIERED + FREE.replace("1000", "10.5") + OPEN, "price[0].tier[0].up_to", "10.5 is not a whole", "1000"),
    (HEAD + TIERED + FREE.replace("1000", '"10"') + OPEN, "price[0].tier[0].up_to", "'10' is not a whole", "1000"),
    (HEAD + TIERED + FREE.replace("1000", "true") + OPEN, "price[0].tier[0].up_to", "true is not a whole", "1000"),
    (HEAD + TIERED + FREE.replace("1000", str(2**63)) + OPEN, "price[0].tier[0].up_to", "out of range", "use 1 to"),
    (HEAD + TIERED + FREE + OPEN + "upto = 5\n", "price[0].tier[1].upto", "not a field", "did you mean up_to?"),
    (HEAD + PRICE + "[price.when]\nmin = 1\n", "price[0].when", "units are counted without a condition", '"results"'),
]


@pytest.mark.parametrize(("text", "where", "detail", "hint"), MISTAKES, ids=[f"{m[1]}: {m[2]}" for m in MISTAKES])
def test_a_mistake_is_named_with_place_and_remedy(text: str, where: str, detail: str, hint: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_plan(text)
    assert caught.value.where == where
    assert detail in caught.value.detail
    assert caught.value.hint is not None
    assert hint in caught.value.hint
