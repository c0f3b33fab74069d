"""What no page answers: a browser and htmx see a page even so, a program reads a problem."""

import re
from typing import Any

import pytest

from app.members.role import Role
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import Browser, text_of

HTMX = {"HX-Request": "true", "Accept": "*/*"}
Refused = tuple[str, str, dict[str, Any], int, str]
REFUSED: list[Refused] = [
    ("GET", "/no-such-page", {}, 404, "There is no such page"),
    ("POST", "/no-such-page", {}, 404, "There is no such page"),
    ("DELETE", "/app/keys", {}, 405, "This page does not take that."),
    ("GET", "/app/models/linear/predict", {}, 405, "This page does not take that."),
    ("GET", "/app/usage?token=astray", {}, 400, "does not belong in an address"),
    ("GET", "/app/usage?x=%00", {}, 400, "holds something that no address of ours holds"),
    ("POST", "/operator/plans", {"content": b"x" * 70_000}, 413, "What was sent is too large."),
    ("POST", "/app/models/linear/predict", {"content": b"x" * 40_000_000}, 413, "What was sent is too large."),
]


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: f"{refused[0]} {refused[1]}")
async def test_a_browser_sees_a_page(portal: Installation, refused: Refused) -> None:
    method, path, options, status, text = refused
    owner = visitors.member(portal, Role.OWNER)
    answer = await owner.http.request(method, path, **options)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "text/html; charset=utf-8")
    assert text in text_of(answer)
    assert "astray" not in answer.text
    part = await owner.http.request(method, path, headers=HTMX, **options)
    assert (part.status_code, part.headers["HX-Retarget"]) == (status, "#notice")
    assert '<div id="notice-text">' in part.text


@pytest.mark.parametrize("refused", REFUSED, ids=lambda refused: f"{refused[0]} {refused[1]}")
async def test_a_program_reads_a_problem(portal: Installation, refused: Refused) -> None:
    method, path, options, status, text = refused
    answer = await Browser(portal).http.request(method, path, headers={"Accept": "application/json"}, **options)
    assert (answer.status_code, answer.headers["content-type"]) == (status, "application/problem+json")
    assert text not in answer.text


@pytest.mark.parametrize("path", ["/v1/no-such-route", "/v1/keys?token=leaked", "/metrics/none", "/static/none.js"])
async def test_the_api_answers_in_its_own_way_whatever_the_browser_prefers(portal: Installation, path: str) -> None:
    assert (await Browser(portal).get(path)).headers["content-type"] == "application/problem+json"


async def test_what_a_page_takes_is_said_with_the_refusal(portal: Installation) -> None:
    answer = await Browser(portal).http.delete("/app/usage")
    assert set(answer.headers["allow"].split(", ")) == {"GET", "HEAD"}


async def test_the_heading_of_an_error_says_what_is_wrong(portal: Installation) -> None:
    page = (await Browser(portal).get("/no-such-page")).text
    heading = re.search("<h1>(.*?)</h1>", page)
    assert heading
    assert "There is no such page, or it belongs to somebody else." in heading[1]
    assert "Error 404" in page


async def test_what_may_be_looked_at_may_be_asked_after(portal: Installation) -> None:
    stranger = Browser(portal)
    assert (await stranger.http.head("/")).status_code == 200
    answer = await stranger.http.head("/app/usage?range=today")
    assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/app/usage%3Frange%3Dtoday")
