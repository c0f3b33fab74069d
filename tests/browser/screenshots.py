"""Pictures of every page in every look, to be looked at by people: `make screenshots`. Four go into the README."""

import shutil
import tempfile
from http import HTTPStatus
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from app.portal.frame.preferences import Language, Theme
from tests.architecture.source_tree import ROOT
from tests.browser.chromium import running_chromium
from tests.browser.installation import Installation, running_installation
from tests.browser.look import LOOKS, Look
from tests.browser.page_opener import PageOpener
from tests.browser.rooms import ROOMS, Room

PICTURES = ROOT / "build" / "screenshots"
README_PICTURES = ROOT / "docs" / "images"
# Rooms whose picture stands in the README, in the look that tells most.
IN_README = {
    "landing": Look(Language.CHINESE, Theme.DARK),
    "app-playground-model": Look(),
    "app-usage": Look(),
    "operator": Look(),
}
_README_COLORS_MAX = 128


def main() -> None:
    """Fill build/screenshots anew. Ends with an error where a browser complained about a page."""
    shutil.rmtree(PICTURES, ignore_errors=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        running_installation(Path(folder)) as installation,
        running_chromium() as chromium,
    ):
        opener = PageOpener(chromium)
        for room in ROOMS:
            if room.page.status != HTTPStatus.OK:  # what is refused here looks like every other refusal
                continue
            take_pictures(room, opener, installation)
    if complaints := opener.complaints.unexpected():
        raise SystemExit("\n".join(complaints))


def take_pictures(room: Room, opener: PageOpener, installation: Installation) -> None:
    """Take a picture in each look, as the person whom the page is made for."""
    address = room.address(installation, room.host)
    page = opener.open(address, cookies=installation.cookies_of(room.host))
    for look in LOOKS:
        opener.show(page, address, look)
        page.wait_for_load_state("networkidle")
        page.screenshot(path=PICTURES / str(room) / f"{look}.png", full_page=True)
        if look == IN_README.get(str(room)):
            _take_for_readme(page, str(room))
    opener.close()


def _take_for_readme(page: Page, name: str) -> None:
    """Save the part of the page that a screen shows, in few colours: what lies in the repository is small."""
    if (run := page.get_by_role("button", name="Run", exact=True)).is_visible():
        run.click()
        page.locator("#answer .facts").wait_for()
    file = README_PICTURES / f"{name}.png"
    file.parent.mkdir(exist_ok=True)
    page.screenshot(path=file)
    with Image.open(file) as picture:
        small = picture.convert("RGB").quantize(_README_COLORS_MAX, dither=Image.Dither.NONE)
    small.save(file, optimize=True)


if __name__ == "__main__":
    main()
