"""Every page, for everybody who may see it, in both languages and themes, wide and narrow: nothing to complain about.

The short form takes the wide looks and two narrow ones for the person whom a page is made for, two of them under axe,
in which each language, theme and width occurs, and one look for each other person. The full form takes everything.
"""

from collections.abc import Callable
from itertools import cycle

import pytest
from playwright.sync_api import Page

from tests.browser.accessibility import axe
from tests.browser.installation import Installation
from tests.browser.look import AXE_LOOKS, LOOKS, NARROW_LOOKS, WIDE_LOOKS, Look, Person
from tests.browser.page_opener import PageOpener
from tests.browser.rooms import ROOMS, Room

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
        address, looks = room.address(installation, person), LOOKS if full else short
        page = opener.open(address, look=looks[0], cookies=installation.cookies_of(person))
        for look in looks:
            if look != looks[0]:
                opener.show(page, address, look)
            check(page, person, look)
            if full or (person is room.host and look in AXE_LOOKS):
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
        if n(0, 1) or (look in AXE_LOOKS and look not in seen):
            axe(page)
        seen.add(look)


def check(page: Page, person: Person, look: Look) -> None:
    seen = f"{page.url} as {person}, {look}"
    assert page.locator("html").get_attribute("lang") == look.language, seen
    assert page.locator("html").get_attribute("data-bs-theme") == look.theme, seen
    assert page.locator("h1").count() == 1, seen
    width_px = page.evaluate("document.documentElement.scrollWidth")
    assert width_px <= look.width_px, f"{seen}: {width_px} px wide"
