"""What a newcomer does besides pressing the mouse: types, and opens the mail that an installation has sent."""

import os
import subprocess
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path
from urllib.parse import quote
from uuid import uuid4

from playwright.sync_api import BrowserContext, Locator, Page, expect

from tests.browser.installation import PASSWORD, Installation

_TABS_MAX = 60
_LISTEN = "window.addEventListener('pointerdown', () => window.countPress(), true)"


class Presses:
    """Counts, as the browser itself does, every press of the mouse's button, on whatever page and whatever it hits."""

    def __init__(self, context: BrowserContext) -> None:
        self.count = 0
        context.expose_function("countPress", self._one_more)
        context.add_init_script(_LISTEN)

    def _one_more(self) -> None:
        self.count += 1


def sign_up(page: Page, installation: Installation) -> None:
    """Go from the landing page to a new account's first page: four presses."""
    email = f"newcomer-{uuid4().hex}@example.com"
    page.goto(installation.url)
    page.get_by_role("link", name="Get an API key").click()
    type_into(page.get_by_label("E-mail address"), email)
    type_into(page.get_by_label("Name of the account"), "Initech")
    page.get_by_role("button", name="Mail me the link").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Check your mail")
    open_mail(page, installation.folder, email)
    page.get_by_role("link").click()
    type_into(page.get_by_label("New password"), PASSWORD)
    page.get_by_role("button", name="Open the account").click()
    expect(page.get_by_role("heading", level=1)).to_have_text("Your first call")


def tab_to(place: Locator) -> None:
    """Press the Tab key until the keyboard's focus is there."""
    for _ in range(_TABS_MAX):
        if place.evaluate("element => element === document.activeElement"):
            return
        place.page.keyboard.press("Tab")
    raise AssertionError(f"the keyboard does not get to {place}")


def type_into(field: Locator, text: str) -> None:
    """Go there by the Tab key, and type."""
    tab_to(field)
    field.page.keyboard.type(text)
    expect(field).to_have_value(text)


def open_mail(page: Page, folder: Path, email: str) -> None:
    """Show the newest mail to the address in the browser, as a mail program would."""
    while not (found := _mails_to(folder, email)):
        page.wait_for_timeout(20)  # the postman tells nobody; the test's own timeout ends this
    body = found[-1].get_body(("html",))
    assert body
    page.goto("data:text/html;charset=utf-8," + quote(body.get_content()))


def _mails_to(folder: Path, email: str) -> list[EmailMessage]:
    files = sorted((folder / "outbox").glob("*.eml"))
    mails = [message_from_bytes(file.read_bytes(), policy=default) for file in files]
    return [mail for mail in mails if mail["To"] == email]


def run_in_shell(line: str, folder: Path) -> tuple[int, str]:
    """Run a line of curl as it stands; return the answer's status and body."""
    (folder / ".curlrc").write_text('silent\nwrite-out = "\\n%{http_code}"\n')
    environment = {"PATH": os.environ["PATH"], "CURL_HOME": str(folder), "no_proxy": "*"}
    ran = subprocess.run(
        ["bash", "-c", line], cwd=folder, env=environment, capture_output=True, text=True, check=True, timeout=60
    )
    body, _, status = ran.stdout.rpartition("\n")
    return int(status), body
