"""Passwords: what is accepted as one, its hash, and a check that takes as long where there is none."""

from functools import cache

from pwdlib import PasswordHash

from app.errors import Invalid

PASSWORD_CHARS_MIN = 12
PASSWORD_CHARS_MAX = 256
_hasher = PasswordHash.recommended()


class PasswordUnfit(Invalid):
    """The password is too short to be safe, or absurdly long."""

    code = "password_unfit"


def hash_password(password: str) -> str:
    """Return the argon2id hash of a new password. Raises PasswordUnfit."""
    if not PASSWORD_CHARS_MIN <= len(password) <= PASSWORD_CHARS_MAX:
        raise PasswordUnfit(
            f"a password has {PASSWORD_CHARS_MIN} to {PASSWORD_CHARS_MAX} characters",
            where="password",
            hint="a few unrelated words are long enough",
        )
    return _hasher.hash(password)


def password_matches(password: str, stored_hash: str | None) -> bool:
    """Compare with a stored hash; without one, compare with a decoy, so that the time tells nothing."""
    decoy = _decoy_hash()  # before the comparison: the first call pays for it, whichever address it names
    if len(password) > PASSWORD_CHARS_MAX:
        password, stored_hash = "", None
    matches = _hasher.verify(password, stored_hash or decoy)
    return matches and stored_hash is not None


@cache
def _decoy_hash() -> str:
    return _hasher.hash("no such user")
