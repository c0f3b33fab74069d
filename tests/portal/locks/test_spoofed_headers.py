"""Headers that anybody may write: no link, redirect, limit or entry of the audit log follows them."""

from typing import Any

import pytest

from app.members.role import Role
from tests.api.installation import OPERATOR, Installation
from tests.installation_fixtures import PORTAL_URL
from tests.portal import visitors
from tests.portal.browser import Browser
from tests.portal.locks.belongings import Belongings
from tests.portal.locks.callers import forget_limits
from tests.portal.locks.cast import cast_of
from tests.portal.locks.requests_of_pages import id_of, prepared
from tests.portal.locks.test_forged_requests import victim_of
from tests.portal.mailbox import link_to, new_email
from tests.portal.pages import PAGES, Page

EVIL = "evil.test"
HOSTS: dict[str, dict[str, str]] = {
    "Host": {"Host": EVIL},
    "a path in Host": {"Host": f"{EVIL}/app?"},
    "X-Forwarded-Host": {"X-Forwarded-Host": EVIL, "X-Forwarded-Proto": "https", "X-Host": EVIL},
    "Forwarded": {"Forwarded": f"host={EVIL};proto=https;for=203.0.113.9"},
    "Referer": {"Referer": f"https://{EVIL}/"},
    "a rewritten path": {
        "X-Original-URL": "/operator",
        "X-Rewrite-URL": "/operator",
        "X-Forwarded-Prefix": f"//{EVIL}",
    },
}
UNKNOWN_HOSTS = {name: value for headers in HOSTS.values() for name, value in headers.items() if name != "Host"}
ADDRESSES = {
    "X-Forwarded-For": "203.0.113.9",
    "X-Real-IP": "203.0.113.9",
    "Forwarded": "for=203.0.113.9",
    "X-Client-IP": "203.0.113.9",
    "CF-Connecting-IP": "203.0.113.9",
    "True-Client-IP": "203.0.113.9",
}


@pytest.mark.parametrize("page", PAGES, ids=id_of)
async def test_no_page_and_no_redirect_follows_a_spoofed_host(portal: Installation, page: Page) -> None:
    """Tries to poison links and redirects, which caches and mails would carry to others."""
    account_id = cast_of(portal).account_id
    for headers in (HOSTS["Host"] | UNKNOWN_HOSTS, HOSTS["a path in Host"]):
        victim = victim_of(portal, page)
        request = await prepared(victim, page, Belongings(portal, account_id, victim))
        sent = {**headers, "Cookie": cookies_of(victim)}
        for answer in (
            await request(headers=sent),
            await Browser(portal).http.request(page.method, page.path, headers=headers),
        ):
            assert EVIL not in answer.text
            assert EVIL not in str(answer.headers)


def cookies_of(browser: Browser) -> str:
    """Return the cookies as the browser would send them to our own host: the client goes by the spoofed one."""
    return "; ".join(f"{name}={value}" for name, value in browser.http.cookies.items())


@pytest.mark.parametrize("headers", HOSTS.values(), ids=HOSTS.keys())
async def test_the_links_in_mails_lead_to_the_installation_itself(
    portal: Installation, headers: dict[str, str]
) -> None:
    """Tries to have a link with a token mailed that leads to the attacker (password reset poisoning)."""
    forget_limits(portal)
    member, newcomer = visitors.member(portal), new_email("newcomer")
    for path, form in (
        ("/forgot", {"email": member.user.email}),
        ("/signup", {"email": newcomer, "account": "New"}),
    ):
        browser = Browser(portal)
        await browser.token()
        sent = {**headers, "Cookie": cookies_of(browser)}
        answer = await browser.post(path, form, headers=sent)
        assert answer.status_code == 303
        assert answer.headers["location"].startswith(path)
    assert (await link_to(portal, member.user.email, "reset")).startswith("/reset/")  # behind PORTAL_URL
    assert (await link_to(portal, newcomer, "join")).startswith("/join/")
    assert portal.services.settings.public_url == PORTAL_URL


async def test_the_audit_log_names_the_address_of_the_connection(portal: Installation) -> None:
    """Tries to write somebody else's network address into the audit log and into the list of sessions."""
    owner = visitors.member(portal)
    await owner.post("/app/settings", {"name": "Spoofed"}, headers=ADDRESSES)
    await owner.post("/login", {"email": owner.user.email, "password": visitors.PASSWORD}, headers=ADDRESSES)
    entries = portal.services.audit_log.list(owner.account_id)
    assert {entry.actor.address for entry in entries if entry.actor.id == owner.user.id} == {"127.0.0.1"}
    assert {session.address for session in portal.services.sessions.list(owner.user.id)} == {"127.0.0.1"}


@pytest.mark.parametrize("path", ["/login", "/forgot"])
async def test_a_limit_counts_the_connection_and_not_what_a_header_claims(portal: Installation, path: str) -> None:
    """Tries to guess passwords and to flood mailboxes under a new address with every request."""
    forget_limits(portal)
    forms: dict[str, dict[str, str]] = {
        "/login": {"password": "a wrong password"},
        "/forgot": {},
    }
    browser, statuses = Browser(portal), []
    for attempt in range(70):
        spoofed = dict.fromkeys(ADDRESSES, f"198.51.100.{attempt}")
        form: dict[str, Any] = {"email": f"nobody{attempt}@example.test", **forms[path]}
        statuses.append((await browser.post(path, form, headers=spoofed)).status_code)
        if statuses[-1] == 429:
            break
    forget_limits(portal)
    assert statuses[-1] == 429


ELSEWHERE = [
    "https://evil.test",
    "//evil.test",
    "///evil.test",
    "/\\evil.test",
    "\\/evil.test",
    "/\t/evil.test",
    "/\n/evil.test",
    "javascript:alert(1)//evil.test",
    "https:evil.test",
    "http:///evil.test",
    "/%0d%0aLocation:%20https://evil.test",
    "/..//evil.test",
    "/@evil.test",
    ".evil.test",
    "\u2028//evil.test",
    "//portal.example.test@evil.test",
]


@pytest.mark.parametrize("to", ELSEWHERE)
async def test_no_redirect_leads_to_another_site(portal: Installation, to: str) -> None:
    """Tries an open redirect by every parameter and field that names a page to go to."""
    forget_limits(portal)
    member = visitors.member(portal, Role.OWNER)
    answers = [
        await member.get("/login", params={"next": to}),
        await Browser(portal).get("/login", params={"next": to}),
        await Browser(portal).post("/login", {"email": OPERATOR[0], "password": OPERATOR[1], "next": to}),
        await member.post("/preferences", {"theme": "dark", "back": to}),
        await member.get("/preferences", params={"back": to}),
        await Browser(portal).get("/app", params={"next": to}),
    ]
    for answer in answers:
        location = answer.headers.get("location", "/")
        assert location.startswith("/")
        assert not location.startswith(("//", "/\\"))
        assert "\n" not in location
        assert 'href="//' not in answer.text
        assert 'value="//' not in answer.text
        assert f'"{to}"' not in answer.text or to.startswith(("/%", "/..", "/@"))


async def test_a_path_with_two_slashes_is_no_redirect_to_another_site(portal: Installation) -> None:
    """Tries to have the sign-in page, or a redirect of slashes, lead to the host that the path begins with."""
    for path in ("//evil.test/", "//evil.test/app", "/app/", "/app//keys", "/%2f%2fevil.test"):
        answer = await Browser(portal).http.get(f"{PORTAL_URL}{path}")
        assert answer.status_code == 404
        assert "location" not in answer.headers
