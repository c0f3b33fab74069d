"""What is an address: one way to write it, and nothing that a mail's header would need quotes for."""

import pytest

from app.accounts.email_address import EmailInvalid, folded_email, normal_email


@pytest.mark.parametrize(
    ("written", "stored"),
    [
        ("ada@example.com", "ada@example.com"),
        (" Ada.Lovelace+meter@Example.COM\n", "ada.lovelace+meter@example.com"),
        ("o'hara@localhost", "o'hara@localhost"),
        ("李@例子.中国", "李@例子.中国"),
        ("\u212aATE@example.com", "\u212aate@example.com"),  # the sign of kelvin, which folds to a k elsewhere
    ],
)
def test_an_address_is_stored_in_one_way(written: str, stored: str) -> None:
    assert normal_email(written) == stored
    assert normal_email(stored) == stored


@pytest.mark.parametrize(
    "text",
    [
        *["", "ada", "@", "ada@", "@example.com", "a@@b", "a b@c", "a@b c", ".a@b", "a.@b", "a..b@c", "a@b..c", "a@.b"],
        *['"a"@b', "a,b@c", "a@b,c@d", "a@b;c@d", "Ada <a@b>", "a@b>", "a(x)@b", "a@[127.0.0.1]", "a\\b@c", "a:b@c"],
        *["a@b\r\nBcc: c@d", "a\x00@b", "a@\x7f", "\ud800@b", "a@" + "b" * 191, "a" * 65 + "@b", "a\u0085b@c"],
    ],
)
def test_what_is_no_address_is_refused(text: str) -> None:
    assert folded_email(text) is None
    with pytest.raises(EmailInvalid):
        normal_email(text)
