"""What every TOML file that people write has in common; the fields have their tests beside their files."""

import pytest

from app.errors import Invalid
from app.toml_table import INTEGER_MAX, TABLES_MAX, TomlTable, parse_toml


def table(text: str) -> TomlTable:
    return parse_toml(text, source="some file")


def test_a_place_names_the_tables_it_is_in() -> None:
    (_, second) = table("[[a]]\n[[a]]\n[[a.b]]\nc = 1\n").tables("a")
    (inner,) = second.tables("b")
    assert (second.where, inner.where, inner.place("c")) == ("a[1]", "a[1].b[0]", "a[1].b[0].c")
    with pytest.raises(Invalid, match=r"a\[1\]\.b\[0\]\.d: d is missing \(add \[\[a\.b\.d\]\]\)"):
        inner.tables("d")


def test_an_amount_is_exact_and_a_float_is_shown_as_it_was_written() -> None:
    assert table('fee = "0.1"').amount_nanos("fee", example="1") == 100_000_000
    with pytest.raises(Invalid, match=r'fee = 0\.10 is a bare number, .* \(quote it: fee = "0\.10"\)'):
        table("fee = 0.10").amount_nanos("fee", example="1")


@pytest.mark.parametrize("value", ["inf", "nan", "-0.5", "1e5", "1_000.5"])
def test_a_float_that_is_no_plain_decimal_gets_an_example_instead(value: str) -> None:
    with pytest.raises(Invalid, match=r'quote it: fee = "12"'):
        table(f"fee = {value}").amount_nanos("fee", example="12")


def test_a_float_is_not_a_string() -> None:
    with pytest.raises(Invalid, match=r"name: 1\.5 is not a string"):
        table("name = 1.5").text("name", example="x")


def test_whole_numbers_have_limits() -> None:
    assert table(f"n = {INTEGER_MAX}").integer("n", example=1) == INTEGER_MAX
    for value in (0, -1, INTEGER_MAX + 1):
        with pytest.raises(Invalid, match="out of range"):
            table(f"n = {value}").integer("n", example=1)


def test_lists_of_tables_have_a_limit() -> None:
    assert len(table("[[a]]\n" * TABLES_MAX).tables("a")) == TABLES_MAX
    with pytest.raises(Invalid, match="there are 1001"):
        table("[[a]]\n" * (TABLES_MAX + 1)).tables("a")


def test_a_file_that_is_not_toml_says_where_it_breaks() -> None:
    with pytest.raises(Invalid, match=r"some file: this is not TOML: .*line 2, column 1"):
        table("a = 1\n= 2")
