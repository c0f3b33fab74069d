"""E-mail addresses: the name under which a person signs in."""

import re
import string

from app.errors import Invalid

# Without what would need quotes in a mail's header: (),:;<>[]\" and blanks.
_ATOM = r"[^@.\s(),:;<>\[\]\\\"\x00-\x1f\x7f-\x9f\ud800-\udfff]+"
_EMAIL = re.compile(rf"(?=.{{1,64}}@.{{1,190}}$){_ATOM}(\.{_ATOM})*@{_ATOM}(\.{_ATOM})*")


# Letters beyond ASCII stay as they are: some of them become plain letters when they are folded, and another's address.
_FOLDED = str.maketrans(string.ascii_uppercase, string.ascii_lowercase)


class EmailInvalid(Invalid):
    """The text is no e-mail address."""

    code = "email_invalid"


def folded_email(email: str) -> str | None:
    """Return the address as it is stored, None for what cannot be one."""
    email = email.strip().translate(_FOLDED)
    return email if _EMAIL.fullmatch(email) else None


def normal_email(email: str) -> str:
    """Return the address as it is stored. Raises EmailInvalid."""
    folded = folded_email(email)
    if folded is None:
        raise EmailInvalid(f"{email.strip()!r} is not an e-mail address", where="email", hint="write NAME@HOST")
    return folded
