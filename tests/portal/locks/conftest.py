"""Where a lock hangs on what the database holds, it is tried on both kinds; where only pages can fail, on one."""

import pytest

_OF_PAGES = {
    "test_forged_requests.py",
    "test_frames_and_caches.py",
    "test_mass_assignment.py",
    "test_spoofed_headers.py",
    "test_spreadsheets.py",
}


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave the tests of those files on PostgreSQL out: they are no part of the run."""
    left_out = [item for item in items if item.path.name in _OF_PAGES and _database_of(item) == "postgresql"]
    config.hook.pytest_deselected(items=left_out)
    items[:] = [item for item in items if item not in left_out]


def _database_of(item: pytest.Item) -> object:
    return item.callspec.params.get("portal_url") if hasattr(item, "callspec") else None
