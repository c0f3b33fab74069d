"""A browser, a server, and pages opened as anybody in any look. What the browser complains about fails the test.

Playwright's synchronous interface keeps an event loop running in its thread while it lives. It lives for one module, so
that the asynchronous tests of other folders find a thread without one; tests of this folder are synchronous.
"""

from collections.abc import Callable, Iterator

import pytest
from playwright.sync_api import Browser, Page

from tests.browser.chromium import running_chromium
from tests.browser.installation import Installation, running_installation
from tests.browser.look import Look, Person
from tests.browser.page_opener import PageOpener

OpenPage = Callable[..., Page]


@pytest.fixture(scope="module")
def chromium() -> Iterator[Browser]:
    with running_chromium() as browser:
        yield browser


@pytest.fixture(scope="session")
def installation(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Installation]:
    """The one server of all browser tests; a test that changes something makes what it changes itself."""
    with running_installation(tmp_path_factory.mktemp("installation")) as running:
        yield running


@pytest.fixture
def opener(chromium: Browser) -> Iterator[PageOpener]:
    """Opens any address, and fails the test in the end for what the browser complained about."""
    opener = PageOpener(chromium)
    yield opener
    opener.close()
    assert opener.complaints.unexpected() == []


@pytest.fixture
def open_page(opener: PageOpener, installation: Installation) -> OpenPage:
    """Return `open_page(path, person=…, look=…)`, which opens a page of the installation."""

    def open_page(path: str, *, person: Person = Person.STRANGER, look: Look | None = None) -> Page:
        return opener.open(installation.url + path, look=look, cookies=installation.cookies_of(person))

    return open_page
