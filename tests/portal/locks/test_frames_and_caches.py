"""What a browser is told with every page, every error and every file: who may frame it, what runs, what is kept."""

import httpx
import pytest
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.members.role import Role
from app.portal.frame.rendering import asset
from app.portal.frame.security_headers import CONTENT_SECURITY_POLICY, SecurityHeaders
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import Browser
from tests.portal.locks.belongings import Belongings
from tests.portal.locks.callers import Caller, browser_of, forms_token
from tests.portal.locks.cast import cast_of
from tests.portal.locks.requests_of_pages import id_of, send
from tests.portal.locks.test_forged_requests import victim_of
from tests.portal.pages import PAGES, Page


def assert_guarded(headers: dict[str, str], *, kept: str = "no-store") -> None:
    """Tries to frame the page and to find it in a cache after the person has gone."""
    assert headers["content-security-policy"] == CONTENT_SECURITY_POLICY
    assert headers["x-frame-options"] == "DENY"
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["referrer-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert headers["cache-control"] == kept


def test_the_policy_runs_nothing_but_our_own_files_and_is_framed_by_nobody() -> None:
    policy = dict(part.split(" ", 1) for part in CONTENT_SECURITY_POLICY.split("; "))
    assert policy["default-src"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == policy["form-action"] == "'self'"
    assert policy["frame-ancestors"] == policy["base-uri"] == "'none'"
    assert "unsafe" not in CONTENT_SECURITY_POLICY
    assert "*" not in CONTENT_SECURITY_POLICY


@pytest.mark.parametrize("page", PAGES, ids=id_of)
async def test_every_page_is_guarded_for_who_may_see_it_and_for_who_may_not(portal: Installation, page: Page) -> None:
    cast = cast_of(portal)
    for browser in (victim_of(portal, page), cast.browser(Caller.VIEWER)):
        assert_guarded(dict((await send(browser, page, Belongings(portal, cast.account_id, browser))).headers))
    belongings = Belongings(portal, cast.account_id, cast.browser(Caller.OWNER))
    assert_guarded(dict((await send(Browser(portal), page, belongings)).headers))


async def test_errors_are_guarded_too(portal: Installation) -> None:
    owner = visitors.member(portal, Role.OWNER)
    wide = "x" * (70 * 1024)
    for answer in (
        await owner.get("/no-such-page"),
        await owner.get("/app/keys/key_unknown"),
        await owner.get("/app/usage?range=nonsense"),
        await owner.get("/app/usage?token=leaked"),
        await owner.get("/app/usage?x=%00"),
        await owner.get("/static/no-such-file.js"),
        await owner.get("/static/../app/main.py"),
        await owner.http.delete("/app/keys"),
        await owner.http.post("/app/keys", data={"csrf": "wrong"}),
        await owner.http.post("/app/keys", data={"csrf": forms_token(owner), "name": wide}),
        await owner.http.post("/app/keys", content=b"--", headers={"Content-Type": "multipart/form-data; boundary=x"}),
        await owner.http.post("/app/keys", content=b"x", headers={"Content-Type": "multipart/form-data"}),
    ):
        assert 400 <= answer.status_code < 500, answer.text
        assert_guarded(dict(answer.headers))


async def test_only_a_file_that_is_named_by_its_content_is_kept(portal: Installation) -> None:
    browser, named = Browser(portal), asset("portal.css")
    for path in ("/static/portal.css", "/static/portal.css?v=0123456789ab", f"{named}&x=1", "/static/none.css?v=1"):
        assert_guarded(dict((await browser.get(path)).headers))
    kept = (await browser.get(named)).headers
    assert_guarded(dict(kept), kept="public, max-age=31536000, immutable")


async def test_a_browser_keeps_to_https_where_the_site_has_it(portal: Installation) -> None:
    async def page(scope: Scope, receive: Receive, send: Send) -> None:
        await Response("page")(scope, receive, send)

    assert "strict-transport-security" not in (await Browser(portal).get("/")).headers
    transport = httpx.ASGITransport(SecurityHeaders(page, https=True))
    async with httpx.AsyncClient(transport=transport, base_url="https://portal.example.test") as browser:
        assert (await browser.get("/")).headers["strict-transport-security"] == "max-age=31536000"


async def test_an_answer_of_the_api_is_kept_by_nobody_and_taken_for_no_page(portal: Installation) -> None:
    """The answer that holds a new key's secret, and one that refuses."""
    account_id = visitors.account(portal)
    admin = browser_of(portal, Caller.ADMIN_KEY, account_id)
    made = await admin.http.post(f"/v1/admin/accounts/{account_id}/keys", json={"name": "x"})
    assert made.status_code == 201
    for answer in (made, await Browser(portal).get("/v1/keys")):
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path", ["/static/../main.py", "/static/%2e%2e/rendering.py", "/static//etc/passwd", "/static/"]
)
async def test_static_files_are_those_of_their_folder(portal: Installation, path: str) -> None:
    """Tries to read the program's own files."""
    assert (await Browser(portal).get(path)).status_code == 404
