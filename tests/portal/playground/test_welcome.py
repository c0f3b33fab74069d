"""The newcomer's page: a key that is made once, and the first call with it."""

import html
import re
import shlex
from itertools import pairwise

import pytest

from app.accounts.account import Scope
from app.members.role import Role
from app.portal.playground import welcome
from app.portal.playground.trial import trials
from tests.api.installation import Installation
from tests.portal.browser import text_of
from tests.portal.visitors import member

_SECRET = re.compile(r"fm_test_[0-9A-Za-z]{38}")


async def test_the_page_itself_makes_no_key(portal: Installation) -> None:
    browser = member(portal)
    page = await browser.get("/app/welcome")
    assert "Make my test key" in text_of(page)
    assert portal.services.accounts.list_keys(browser.account_id) == []


async def test_the_key_is_made_once_and_shown_once(portal: Installation) -> None:
    browser = member(portal)
    first = await browser.post("/app/welcome")
    second = await browser.post("/app/welcome")
    assert len(set(_SECRET.findall(first.text))) == 1
    assert not _SECRET.search(second.text + (await browser.get("/app/welcome")).text)
    assert len(portal.services.accounts.list_keys(browser.account_id)) == 1
    assert first.headers["cache-control"] == "no-store"


async def test_the_first_key_does_no_more_than_whom_it_is_shown_to(portal: Installation) -> None:
    developer = member(portal, Role.DEVELOPER)
    await developer.post("/app/welcome")
    (key,) = portal.services.accounts.list_keys(developer.account_id)
    assert key.scopes == {Scope.PREDICT, Scope.USAGE_READ}


async def test_the_copied_line_is_a_call_that_works(portal: Installation) -> None:
    page = await member(portal).post("/app/welcome")
    found = re.search(r'id="first-call"[^>]*>(.*?)</pre>', page.text, re.DOTALL)
    assert found
    words = shlex.split(html.unescape(found[1]).replace("\\\n", " "))
    headers = dict(word.split(": ", 1) for before, word in pairwise(words) if before == "-H")
    answer = await portal.http.post(words[1], headers=headers, content=words[words.index("-d") + 1])
    assert answer.status_code == 200, answer.text
    assert answer.json()["model"] == "linear"


async def test_the_run_button_beside_it_makes_a_call(portal: Installation) -> None:
    browser = member(portal)
    page = await browser.post("/app/welcome")
    action = re.search(r'action="(/app/models/[^"]+)"', page.text)
    key = re.search(r'name="idempotency_key" value="([^"]+)"', page.text)
    assert action
    assert key
    answer = await browser.post(action[1], {"mode": "test", "idempotency_key": key[1]})
    assert "progression" in text_of(answer)
    assert len(portal.events(browser.account_id)) == 1


async def test_who_may_not_make_keys_is_sent_away(portal: Installation) -> None:
    browser = member(portal, Role.VIEWER)
    assert (await browser.get("/app/welcome")).status_code == 403
    assert (await browser.post("/app/welcome")).status_code == 403


async def test_the_secret_is_shown_even_where_no_model_is_served(
    portal: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(welcome, "trials", lambda *_: [])
    page = await member(portal).post("/app/welcome")
    assert len(set(_SECRET.findall(page.text))) == 1
    assert "No model is served yet." in text_of(page)


async def test_the_picture_of_the_first_call_can_be_had(portal: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = member(portal)
    assert "The picture that this call sends" not in text_of(await browser.post("/app/welcome"))
    known = [trial for trial in trials(portal.services, browser.account_id) if trial.takes_pictures]
    monkeypatch.setattr(welcome, "trials", lambda *_: known)
    page = await member(portal).post("/app/welcome")
    assert "--data-binary @digit.png" in page.text
    link = re.search(r'href="(/static/examples/digit.png[^"]*)" download="digit.png"', page.text)
    assert link
    assert (await browser.get(link[1])).headers["content-type"] == "image/png"
