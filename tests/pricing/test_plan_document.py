import json

from hypothesis import given

from app.pricing.plan import PlanDraft
from app.pricing.plan_document import digest_of, read_document, write_document
from app.pricing.plan_file import parse_plan
from tests.pricing.plan_strategies import plan_drafts
from tests.pricing.test_plan_file import FREE, HEAD, OPEN, PRICE, TIERED


@given(plan_drafts())
def test_a_frozen_document_reads_back_as_the_plan_it_froze(draft: PlanDraft) -> None:
    assert read_document(write_document(draft)) == draft


def test_equal_content_is_equal_text_however_the_file_was_written() -> None:
    one = parse_plan(HEAD + PRICE + TIERED + FREE + OPEN)
    other = parse_plan("# a remark\n" + HEAD.replace('"9.99"', '"9.990"') + TIERED + FREE + OPEN + PRICE)
    assert write_document(one) == write_document(other)
    assert digest_of(write_document(one)) == digest_of(write_document(other))


def test_the_document_has_no_number_that_a_reader_could_take_for_a_binary_float() -> None:
    document = json.loads(write_document(parse_plan(HEAD + TIERED + FREE + OPEN)), parse_float=lambda text: text)
    assert document["base_fee"] == "9.99"
    assert document["price"][0]["tier"] == [{"up_to": 1000, "unit_price": "0"}, {"unit_price": "0.002"}]
