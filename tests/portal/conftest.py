"""On which databases pages are tried, and what their passwords cost.

In the short form, PostgreSQL is for the locks that hang on what a database holds: pages know no SQL, and what they
stand on is tested on both kinds beside them. The full form tries everything on both.
"""

import os
from collections.abc import Iterator

import pytest
from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher

from app.accounts import password

_ON_BOTH = ("test_matrix.py", "test_tenants.py", "test_sessions.py", "test_keys_and_people.py", "test_stored_markup.py")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the other tests of pages out on PostgreSQL in the short form: they are no part of that run."""
    if os.environ.get("PROOF") == "1":
        return
    left_out = {item for item in items if _is_of_pages(item) and _database_of(item) == "postgresql"}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def _is_of_pages(item: pytest.Item) -> bool:
    return "portal" in item.path.parts and item.path.name not in _ON_BOTH


def _database_of(item: pytest.Item) -> object:
    return item.callspec.params.get("portal_url") if hasattr(item, "callspec") else None


@pytest.fixture(autouse=True, scope="module")
def cheap_passwords() -> Iterator[None]:
    """Hash with argon2 as ever, in a hundredth of the time."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(password, "_hasher", PasswordHash((Argon2Hasher(time_cost=1, memory_cost=64, parallelism=1),)))
        password._decoy_hash.cache_clear()
        yield
    password._decoy_hash.cache_clear()
