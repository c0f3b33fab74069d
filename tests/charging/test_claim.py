"""What may be an idempotency key, and how large an answer may be to be kept under one."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.charging.claim import ANSWER_BYTES_MAX, AnswerTooLarge, checked_idempotency_key, storable
from app.errors import Invalid
from tests.builders import make_answer


@given(st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E), min_size=1, max_size=255))
def test_any_printable_ascii_of_1_to_255_characters_is_a_key_as_it_stands(text: str) -> None:
    assert checked_idempotency_key(text) == text


@pytest.mark.parametrize("text", ["", "x" * 256, "a\nb", "a\x00", "a\x7f", "ключ", "a\xa0b"])
def test_anything_else_is_refused_by_the_headers_name(text: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked_idempotency_key(text)
    assert caught.value.where == "Idempotency-Key"


def test_an_answer_is_kept_up_to_one_mebibyte() -> None:
    largest = make_answer(body=b"x" * ANSWER_BYTES_MAX)
    assert storable(largest) is largest
    with pytest.raises(AnswerTooLarge, match="1048577"):
        storable(make_answer(body=b"x" * (ANSWER_BYTES_MAX + 1)))
