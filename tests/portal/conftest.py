"""Passwords cost these tests next to nothing: they are about pages, and tests/accounts is about the hash."""

from collections.abc import Iterator

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.accounts import password


@pytest.fixture(autouse=True, scope="module")
def cheap_passwords() -> Iterator[None]:
    """Hash with argon2 as ever, in a hundredth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(password, "_hasher", PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),)))
        password._decoy_hash.cache_clear()
        yield
    password._decoy_hash.cache_clear()
