"""Every page, for everybody who may see it, in both languages and themes, wide and narrow: nothing to complain about.

The short form takes the wide looks and two narrow ones for the person whom a page is made for, and one look for each
other person; axe sees what differs between them. The full form takes everything.
"""

from collections.abc import Callable
from itertools import cycle

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import axe
from tests.browser.installation import Installation
from tests.browser.look import LOOKS, NARROW_LOOKS, WIDE_LOOKS, WIDE_PX, Look, Person
from tests.browser.page_opener import PageOpener
from tests.browser.rooms import ROOMS, Room
from tests.portal.pages import PUBLIC

_REFUSALS = (401, 403, 404)


@pytest.mark.parametrize("room", ROOMS, ids=str)
def test_a_page_is_right_for_everybody_in_every_look(
    room: Room, opener: PageOpener, installation: Installation, n: Callable[[int, int], int]
) -> None:
    if room.page.status in _REFUSALS:
        opener.complaints.expect_status(room.page.status)
    full = n(0, 1) == 1
    for number, person in enumerate(room.visitors):
        short = (*WIDE_LOOKS, *NARROW_LOOKS) if person is room.host else (WIDE_LOOKS[number % len(WIDE_LOOKS)],)
        address = room.address(installation, person)
        page = opener.open(address, cookies=installation.cookies_of(person))
        for look in LOOKS if full else short:
            opener.show(page, address, look)
            check(page, person, look)
            # Of a public page, only its head differs between people; narrow, a page is laid out in another way.
            wide = look.width_px == WIDE_PX and (person is room.host or room.page.needs != PUBLIC)
            if full or wide or (look is NARROW_LOOKS[0] and person is room.host):
                axe(page)
        opener.close()


@pytest.mark.parametrize("person", Person)
def test_who_may_not_enter_is_told_so_on_a_page_as_right_as_the_others(
    person: Person, opener: PageOpener, installation: Installation, n: Callable[[int, int], int]
) -> None:
    for status in _REFUSALS:
        opener.complaints.expect_status(status)
    refusing = [room for room in ROOMS if person in room.refused]
    page = opener.open(installation.url, cookies=installation.cookies_of(person))
    seen = set()
    for room, look in zip(refusing, cycle(LOOKS), strict=False):
        opener.show(page, room.address(installation, person), look)
        check(page, person, look)
        if look not in seen or n(0, 1):
            axe(page)
        seen.add(look)


def check(page: Page, person: Person, look: Look) -> None:
    seen = f"{page.url} as {person}, {look}"
    assert page.locator("html").get_attribute("lang") == look.language, seen
    assert page.locator("html").get_attribute("data-bs-theme") == look.theme, seen
    assert page.locator("h1").count() == 1, seen
    width_px = page.evaluate("document.documentElement.scrollWidth")
    assert width_px <= look.width_px, f"{seen}: {width_px} px wide"
