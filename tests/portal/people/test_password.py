"""A forgotten password."""

import pytest

from tests.api.installation import Installation
from tests.portal.browser import Browser, text_of
from tests.portal.mailbox import link_to, new_email
from tests.portal.visitors import member

PASSWORD = "the password so far"
NEW_PASSWORD = "the password from now on"


async def test_a_new_password_comes_by_mail_and_ends_every_session(portal: Installation) -> None:
    user = portal.services.accounts.create_user(new_email("forgetful"), PASSWORD, operator=False)
    signed_in, browser = Browser(portal), Browser(portal)
    token = signed_in.sign_in_as(user.email)
    answer = await browser.post("/forgot", {"email": user.email})
    assert (answer.status_code, answer.headers["location"]) == (303, "/forgot?done=sent")

    link = await link_to(portal, user.email, "reset")
    assert user.email in (await browser.get(link)).text
    short = await browser.post(link, {"password": "short"})
    assert (short.status_code, "A password has 12 to 256 characters." in text_of(short)) == (400, True)
    answer = await browser.post(link, {"password": NEW_PASSWORD})
    assert answer.headers["location"] == "/login?done=reset"
    assert "Your new password is set." in text_of(await browser.get(answer.headers["location"]))
    assert portal.services.sessions.visit(token) is None
    assert (await browser.post("/login", {"email": user.email, "password": PASSWORD})).status_code == 401
    assert (await browser.post("/login", {"email": user.email, "password": NEW_PASSWORD})).status_code == 303
    assert (await browser.post(link, {"password": PASSWORD})).status_code == 404


async def test_an_unknown_address_is_answered_like_a_known_one(portal: Installation) -> None:
    portal.services.accounts.create_user("known@example.test", PASSWORD, operator=False)
    known, unknown = [
        await Browser(portal).post("/forgot", {"email": f"{name}@example.test"}) for name in ("known", "nobody")
    ]
    assert (known.status_code, known.headers["location"]) == (unknown.status_code, unknown.headers["location"])
    for page in (await Browser(portal).get(known.headers["location"]),):
        assert "If the address belongs to a user, a link is on its way to it." in text_of(page)


async def test_what_is_no_address_is_said(portal: Installation) -> None:
    answer = await Browser(portal).post("/forgot", {"email": "nowhere"})
    assert (answer.status_code, "This is not an e-mail address." in text_of(answer)) == (400, True)


@pytest.mark.parametrize("room", ["reset", "join", "confirm-email"])
async def test_a_made_up_link_works_nowhere(portal: Installation, room: str) -> None:
    confirms = room == "confirm-email"
    browser = member(portal) if confirms else Browser(portal)  # the address of nobody is confirmed
    for answer in (
        await browser.get(f"/{room}/{'x' * 43}"),
        await browser.post(f"/{room}/{'x' * 43}", {} if confirms else {"password": PASSWORD}),
    ):
        assert (answer.status_code, "This link does not work." in text_of(answer)) == (404, True)


async def test_an_address_that_has_had_enough_mails_is_answered_like_any_other(portal: Installation) -> None:
    browser = Browser(portal)
    answers = [await browser.post("/forgot", {"email": "flooded@example.test"}) for _ in range(7)]
    assert {(answer.status_code, answer.headers["location"]) for answer in answers} == {(303, "/forgot?done=sent")}
