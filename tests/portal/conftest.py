"""On which databases pages are tried.

In the short form, PostgreSQL is for the locks that hang on what a database holds: pages know no SQL, and what they
stand on is tested on both kinds beside them. The full form tries everything on both.
"""

import os

import pytest

_ON_BOTH = ("test_matrix.py", "test_tenants.py", "test_sessions.py")


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
