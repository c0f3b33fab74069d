"""Where a lock hangs on what the database holds, it is tried on both kinds; where only pages can fail, on one."""

import pytest

_OF_PAGES = {
    "test_forged_requests",
    "test_frames_and_caches",
    "test_mass_assignment",
    "test_spoofed_headers",
    "test_spreadsheets",
}


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run the tests of those modules on SQLite alone."""
    if metafunc.module.__name__.rpartition(".")[2] in _OF_PAGES and "portal_url" in metafunc.fixturenames:
        metafunc.parametrize("portal_url", ["sqlite"], indirect=True, scope="session")
