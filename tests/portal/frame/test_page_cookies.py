"""A session that gets a new token stays one, whatever the answer that carries the token became."""

import re

import httpx
import pytest
from structlog.testing import capture_logs

from app.accounts.service import Accounts
from app.database import DatabaseUnavailable
from app.members.sessions import Sessions
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import Browser, text_of

KEYS = "/app/keys"


def ask_for_rotation(portal: Installation, browser: Browser) -> str:
    """Let the browser's session get a new token at its next request; return the one it has."""
    token = browser.http.cookies["faremeter_session"]
    visit = portal.services.sessions.visit(token)
    assert visit
    portal.services.sessions.rotate(visit.session)
    return token


def assert_still_signed_in(portal: Installation, browser: Browser, old_token: str) -> None:
    token = browser.http.cookies["faremeter_session"]
    assert token != old_token
    assert portal.services.sessions.visit(token)


@pytest.mark.parametrize("path", [KEYS, "/no-such-page", "/app/keys/key_unknown", "/operator", "/app/usage?range=no"])
async def test_a_rotated_session_goes_on_behind_every_page(portal: Installation, path: str) -> None:
    browser = visitors.member(portal)
    old_token = ask_for_rotation(portal, browser)
    await browser.get(path)
    assert_still_signed_in(portal, browser, old_token)
    assert (await browser.get(KEYS)).status_code == 200


async def test_a_form_that_rotates_its_session_is_taken_and_so_is_the_form_of_its_answer(portal: Installation) -> None:
    browser = visitors.member(portal)
    before = await browser.token()
    old_token = ask_for_rotation(portal, browser)
    form = {"csrf": before, "name": "x", "scopes": "predict"}
    made = await browser.http.post(KEYS, data={**form, "name": "x" * 201})
    assert made.status_code == 400  # the form comes back, and is sent again as it is
    assert_still_signed_in(portal, browser, old_token)
    after = re.findall(r'name="csrf" value="([0-9a-f]{64})"', made.text)
    assert after
    assert before not in after
    assert (await browser.http.post(KEYS, data={**form, "csrf": after[0]})).status_code == 201


async def broken_page(browser: Browser, monkeypatch: pytest.MonkeyPatch, **headers: str) -> httpx.Response:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("secret of the inside")

    with monkeypatch.context() as patch:
        patch.setattr(Accounts, "newest_keys", fail)
        return await browser.get(KEYS, headers=headers)


async def test_what_nobody_foresaw_is_a_page_and_signs_nobody_out(
    portal: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = visitors.member(portal)
    old_token = ask_for_rotation(portal, browser)
    with capture_logs() as lines:
        answer = await broken_page(browser, monkeypatch)
    assert answer.status_code == 500
    assert answer.headers["content-type"].startswith("text/html")
    assert f"Request {answer.headers['x-request-id']}" in text_of(answer)
    assert "Something went wrong on our side." in text_of(answer)
    assert "secret of the inside" not in answer.text
    (line,) = [line for line in lines if line["event"] == "unhandled error"]
    assert str(line["exc_info"]) == "secret of the inside"
    assert_still_signed_in(portal, browser, old_token)


async def test_what_nobody_foresaw_is_a_notice_within_a_page(
    portal: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    with capture_logs():
        answer = await broken_page(visitors.member(portal), monkeypatch, **{"HX-Request": "true"})
    assert (answer.status_code, answer.headers["HX-Retarget"]) == (500, "#notice")


async def test_a_body_that_is_no_form_is_answered_by_a_page(portal: Installation) -> None:
    browser = visitors.member(portal)
    old_token = ask_for_rotation(portal, browser)
    headers = {"Content-Type": "multipart/form-data"}
    answer = await browser.http.post(KEYS, content=b"x", headers=headers)
    assert (answer.status_code, answer.headers["content-type"]) == (400, "text/html; charset=utf-8")
    assert_still_signed_in(portal, browser, old_token)


async def test_a_strangers_missing_page_brings_the_secret_that_its_forms_are_made_of(portal: Installation) -> None:
    stranger = Browser(portal)
    await stranger.get("/no-such-page")
    secret = stranger.http.cookies["faremeter_forms"]
    assert secret
    answer = await stranger.post("/preferences", {"language": "zh", "back": "/"})
    assert answer.status_code == 303
    assert stranger.http.cookies["faremeter_forms"] == secret


async def test_while_nobody_can_tell_who_looks_a_page_says_so_and_no_cookie_changes(
    portal: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise DatabaseUnavailable("the database does not answer")

    browser = visitors.member(portal)
    with monkeypatch.context() as patch:
        patch.setattr(Sessions, "visit", fail)
        answer = await browser.get(KEYS)
    assert (answer.status_code, answer.headers["content-type"]) == (503, "text/html; charset=utf-8")
    assert "set-cookie" not in answer.headers
    assert (await browser.get(KEYS)).status_code == 200


async def test_whoever_signs_out_is_not_signed_in_again_by_a_rotation(portal: Installation) -> None:
    browser = visitors.member(portal)
    token = await browser.token()
    ask_for_rotation(portal, browser)
    await browser.http.post("/logout", data={"csrf": token})
    assert "faremeter_session" not in browser.http.cookies
