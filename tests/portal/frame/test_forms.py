"""Forms: what nobody types is refused, what is no form is said to be none, and a form outlives its session politely."""

import asyncio

import pytest
from starlette.requests import Request
from starlette.types import Message

from app.portal.frame.forms import FormInvalid, read_form
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import Browser, text_of

INVALID = "The form is incomplete or holds something that does not belong there."


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/operator/invoice-runs", {"month": "2026-02", "account": "acct\0"}),
        ("/operator/accounts", {"name": "A\0B", "currency": "USD", "zone": "UTC", "anchor_day": "1", "plan": "payg"}),
        ("/operator/accounts/{account}/plan", {"plan": "pa\0yg"}),
        ("/operator/plans", {"toml": "key = 'x\0'"}),
        ("/operator/plans", {"toml": "key = 'x\x1b[2J'"}),
    ],
)
async def test_a_control_character_is_refused_before_it_reaches_the_database(
    portal: Installation, path: str, fields: dict[str, str]
) -> None:
    answer = await visitors.operator(portal).post(path.format(account=visitors.account(portal)), fields)
    assert answer.status_code == 400
    assert INVALID in text_of(answer)
    assert "holds a control character" in text_of(answer)


async def test_lines_and_tabs_of_a_file_are_kept(portal: Installation) -> None:
    answer = await visitors.operator(portal).post("/operator/plans", {"toml": "key = 1\r\n\tx = 2\n"})
    assert INVALID not in text_of(answer)
    assert "key = 1\r\n\tx = 2" in answer.text


@pytest.mark.parametrize("content_type", ["multipart/form-data; boundary=x", "multipart/form-data"])
async def test_a_body_that_is_no_form_is_said_so_on_a_page(portal: Installation, content_type: str) -> None:
    owner = visitors.member(portal)
    answer = await owner.http.post("/app/keys", content=b"--", headers={"Content-Type": content_type})
    assert answer.headers["content-type"].startswith("text/html")
    assert (answer.status_code, INVALID in text_of(answer)) in {(400, True), (403, False)}


async def test_a_form_that_does_not_arrive_is_not_waited_for_longer_than_a_call() -> None:
    async def never() -> Message:
        return await asyncio.Future()

    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    request = Request({"type": "http", "method": "POST", "headers": headers}, never)
    with pytest.raises(FormInvalid, match="did not arrive within 0 s"):
        await read_form(request, 0)


async def test_a_browser_that_leaves_is_no_failure_of_ours() -> None:
    async def gone() -> Message:
        return {"type": "http.disconnect"}

    headers = [(b"content-type", b"application/x-www-form-urlencoded")]
    with pytest.raises(FormInvalid, match="the browser left"):
        await read_form(Request({"type": "http", "method": "POST", "headers": headers}, gone), 1)


async def test_a_form_of_a_session_that_is_over_leads_to_signing_in_and_back_to_its_page(portal: Installation) -> None:
    owner = visitors.member(portal)
    token = await owner.token()
    portal.services.sessions.revoke(owner.user.id, portal.services.sessions.list(owner.user.id)[0].id)
    for form in ({"csrf": token, "name": "x"}, {"name": "x"}):
        answer = await owner.http.post(
            "/app/keys", data=form, headers={"Referer": "http://portal.example.test/app/keys/new?a=1"}
        )
        assert (answer.status_code, answer.headers["location"]) == (303, "/login?next=/app/keys/new%3Fa%3D1")


@pytest.mark.parametrize(
    "referer",
    ["", "http://evil.test/app", "javascript:x", "http://portal.example.test//evil.test", "//evil.test"],
)
async def test_only_a_page_of_ours_is_led_back_to(portal: Installation, referer: str) -> None:
    owner = visitors.member(portal)
    portal.services.sessions.revoke(owner.user.id, portal.services.sessions.list(owner.user.id)[0].id)
    answer = await owner.http.post("/app/keys", data={"csrf": "old"}, headers={"Referer": referer})
    assert (answer.status_code, answer.headers["location"]) == (303, "/login")


async def test_another_site_is_refused_whatever_became_of_the_session(portal: Installation) -> None:
    owner = visitors.member(portal)
    portal.services.sessions.revoke(owner.user.id, portal.services.sessions.list(owner.user.id)[0].id)
    answer = await owner.http.post("/app/keys", data={"csrf": "old"}, headers={"Origin": "http://evil.test"})
    assert answer.status_code == 403


async def test_somebody_who_signs_in_again_is_not_sent_round(portal: Installation) -> None:
    """The cookie of the session that is over stays in the browser until then."""
    owner = visitors.member(portal)
    portal.services.sessions.revoke(owner.user.id, portal.services.sessions.list(owner.user.id)[0].id)
    answer = await owner.post("/login", {"email": owner.user.email, "password": visitors.PASSWORD, "next": "/app/keys"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/keys")


async def test_a_stranger_without_a_session_learns_that_the_form_is_not_ours(portal: Installation) -> None:
    assert (await Browser(portal).http.post("/login", data={"csrf": "made up"})).status_code == 403
