"""A file's name comes from a stranger's browser: what is left of it is a plain name."""

import pytest

from app.portal.playground.submission import plain_name


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("cat.png", "cat.png"),
        ("C:\\Users\\ann\\cat.png", "cat.png"),
        ("../../etc/passwd", "passwd"),
        ("--output=x.png", "output=x.png"),
        ("two\r\nlines.png", "twolines.png"),
        ("..", "picture"),
        ("/", "picture"),
        ("x" * 500 + ".png", "x" * 96 + ".png"),
    ],
)
def test_a_name_is_one_plain_name(sent: str, kept: str) -> None:
    assert plain_name(sent) == kept
