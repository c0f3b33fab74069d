"""What a browser has to say against a page: its console, policy violations, failed requests. Nothing, at best."""

import re

from playwright.sync_api import ConsoleMessage, Page, Request, Response

# A request that the page itself gave up: it went elsewhere, or the answer became a download.
_GIVEN_UP = "net::ERR_ABORTED"


class Complaints:
    """Listens to pages. A test that provokes an error says beforehand which one it expects."""

    def __init__(self) -> None:
        self._said: list[str] = []
        self._expected: list[re.Pattern[str]] = []

    def listen(self, page: Page) -> None:
        page.on("console", self._console)
        page.on("pageerror", lambda error: self._said.append(f"script: {error}"))
        page.on("requestfailed", self._failed)
        page.on("response", self._answered)

    def expect_status(self, status: int) -> None:
        """Let an answer of that status be no complaint: neither the answer nor the line that the console has for it."""
        self._expected += [re.compile(rf"^answer: {status} "), re.compile(rf"responded with a status of {status}\b")]

    def unexpected(self) -> list[str]:
        """Return what was said and not expected."""
        return [line for line in self._said if not any(pattern.search(line) for pattern in self._expected)]

    def _console(self, message: ConsoleMessage) -> None:
        # Violations of the content security policy are console errors too.
        self._said.append(f"console {message.type}: {message.text}")

    def _failed(self, request: Request) -> None:
        if request.failure != _GIVEN_UP:
            self._said.append(f"request: {request.url}: {request.failure}")

    def _answered(self, response: Response) -> None:
        if response.status >= 400:
            self._said.append(f"answer: {response.status} {response.url}")
