"""Every page, for everybody who may see it, in both languages and themes, wide and narrow: nothing to complain about.

The short form takes half of the looks for the person whom a page is made for, and one look for each other person.
"""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import axe
from tests.browser.installation import Installation
from tests.browser.look import LOOKS, PAIRED_LOOKS, Look, Person
from tests.browser.page_opener import PageOpener
from tests.browser.rooms import ROOMS, Room


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_a_page_is_right_for_everybody_in_every_look(
    room: Room, opener: PageOpener, installation: Installation, n: Callable[[int, int], int]
) -> None:
    for person in room.visitors:
        count = n(len(PAIRED_LOOKS) if person is room.host else 1, len(LOOKS))
        page = opener.open(room.address(installation), cookies=installation.cookies_of(person))
        for look in LOOKS if count == len(LOOKS) else PAIRED_LOOKS[:count]:
            opener.show(page, room.address(installation), look)
            check(page, person, look)
        opener.close()


def check(page: Page, person: Person, look: Look) -> None:
    seen = f"{page.url} as {person}, {look}"
    assert page.locator("html").get_attribute("lang") == look.language, seen
    assert page.locator("html").get_attribute("data-bs-theme") == look.theme, seen
    assert page.locator("h1").count() == 1, seen
    width_px = page.evaluate("document.documentElement.scrollWidth")
    assert width_px <= look.width_px, f"{seen}: {width_px} px wide"
    axe(page)
