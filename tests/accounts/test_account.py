"""Names, scopes, expiries: what is refused, and with which words."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.account import (
    NAME_CHARS_MAX,
    ApiKey,
    ModelNotAllowed,
    Principal,
    Scope,
    ScopeMissing,
    checked_expiry,
    checked_models,
    checked_name,
    parse_scopes,
)
from app.errors import Invalid
from tests.builders import NOON

SECOND = timedelta(seconds=1)


def key_with(*, expires_at: datetime | None = None, revoked_at: datetime | None = None) -> ApiKey:
    return ApiKey("key_1", "acct_1", "k", "fm_live_…abcd", True, frozenset(), frozenset(), NOON, expires_at, revoked_at)


def test_a_key_is_usable_until_the_instant_of_its_expiry() -> None:
    key = key_with(expires_at=NOON + SECOND)
    assert key.usable_at(NOON + SECOND - timedelta(microseconds=1))
    assert not key.usable_at(NOON + SECOND)


def test_a_revoked_key_is_unusable_even_before_the_instant_of_its_revocation() -> None:
    assert not key_with(revoked_at=NOON).usable_at(NOON - SECOND)


def test_a_missing_scope_is_named_beside_what_the_key_has() -> None:
    principal = Principal("acct_1", "key_1", True, frozenset({Scope.PREDICT}))
    principal.require(Scope.PREDICT)
    with pytest.raises(ScopeMissing, match=r"needs the scope usage:read; the key has: predict"):
        principal.require(Scope.USAGE_READ)


def test_a_key_without_any_scope_may_do_nothing() -> None:
    principal = Principal("acct_1", "key_1", True, frozenset())
    for scope in Scope:
        with pytest.raises(ScopeMissing, match="has: none"):
            principal.require(scope)


def test_a_key_limited_to_models_may_call_no_other() -> None:
    limited = Principal("acct_1", "key_1", True, frozenset(), frozenset({"linear"}))
    limited.require_model("linear")
    for other in ("vgg16", "linea", "linear2", "Linear", ""):
        with pytest.raises(ModelNotAllowed, match="limited to: linear"):
            limited.require_model(other)


@pytest.mark.parametrize(
    "name", ["", "   ", "x" * (NAME_CHARS_MAX + 1), "two\nlines", "nul\x00", "a\x85b", "a\u2028b", "\ud800"]
)
def test_a_name_that_no_page_could_print_on_one_line_is_refused(name: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked_name(name)
    assert caught.value.where == "name"


@pytest.mark.parametrize("name", ["x" * NAME_CHARS_MAX, "Ünïcødé 株式会社", "O'Brien; DROP TABLE accounts", "👩‍🔬 lab"])
def test_a_name_may_be_any_text_on_one_line(name: str) -> None:
    assert checked_name(f"  {name} ") == name


def test_an_unknown_scope_is_named_with_its_place() -> None:
    assert parse_scopes(["predict", "usage:read", "predict"]) == {Scope.PREDICT, Scope.USAGE_READ}
    with pytest.raises(Invalid) as caught:
        parse_scopes(["predict", "Predict"])
    assert caught.value.where == "scopes[1]"


@given(st.text())
def test_no_text_but_the_five_words_is_a_scope(text: str) -> None:
    if text not in {scope.value for scope in Scope}:
        with pytest.raises(Invalid):
            parse_scopes([text])


@pytest.mark.parametrize("expires_at", [NOON, NOON - SECOND, NOON + SECOND, (NOON + 9 * SECOND).replace(tzinfo=None)])
def test_an_expiry_that_is_not_ahead_or_has_no_zone_is_refused(expires_at: datetime) -> None:
    with pytest.raises(Invalid):
        checked_expiry(expires_at, NOON)


@pytest.mark.parametrize("model", ["", " ", "linear vgg16", "a\tb", "a\nb", "x" * 101, "\x00"])
def test_a_limit_to_something_that_is_no_model_name_is_refused(model: str) -> None:
    with pytest.raises(Invalid) as caught:
        checked_models(frozenset({model}))
    assert caught.value.where == "models"
