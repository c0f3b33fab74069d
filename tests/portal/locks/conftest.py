"""Where a lock hangs on what the database holds, it is tried on both kinds; where only pages can fail, on one."""

import pytest

_OF_PAGES = (
    "test_enumeration.py",
    "test_forged_requests.py",
    "test_frames_and_caches.py",
    "test_mass_assignment.py",
    "test_secrets_in_logs.py",
    "test_spoofed_headers.py",
    "test_spreadsheets.py",
    "test_stored_markup.py::test_markup_in_a_query",
)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave these tests out on PostgreSQL: they are no part of the run."""
    left_out = {item for item in items if _is_of_pages(item) and _database_of(item) == "postgresql"}
    config.hook.pytest_deselected(items=list(left_out))
    items[:] = [item for item in items if item not in left_out]


def _is_of_pages(item: pytest.Item) -> bool:
    return "locks" in item.path.parts and any(name in item.nodeid for name in _OF_PAGES)


def _database_of(item: pytest.Item) -> object:
    return item.callspec.params.get("portal_url") if hasattr(item, "callspec") else None
