"""Sessions and links: nobody else's, nobody's twice, and none that outlives what it was given for."""

import asyncio
from typing import Any

import pytest
from starlette.responses import Response

from app.audit_log.actor import INSTALLATION
from app.members.mailed_link import LinkPurpose
from app.members.role import Role
from app.portal.frame.cookies import Cookies
from tests.api.installation import OPERATOR, Installation
from tests.portal import visitors
from tests.portal.browser import Browser, text_of
from tests.portal.locks.belongings import Belongings
from tests.portal.locks.callers import forget_limits, forms_token
from tests.portal.mailbox import link_to, new_email

COOKIE = "faremeter_session"
DOMAIN: dict[str, Any] = {"domain": "portal.example.test", "path": "/"}


async def sign_in(browser: Browser, email: str, password: str = visitors.PASSWORD) -> None:
    forget_limits(browser.installation)
    answer = await browser.post("/login", {"email": email, "password": password})
    assert answer.status_code == 303, text_of(answer)


@pytest.mark.parametrize("planted", ["made-up", "x" * 43, "a foreign one"])
async def test_a_token_that_was_planted_before_signing_in_is_worthless_afterwards(
    portal: Installation, planted: str
) -> None:
    """Tries session fixation: the attacker plants a cookie, the victim signs in, the attacker uses the cookie."""
    attacker, victim = visitors.member(portal), visitors.member(portal)
    if planted == "a foreign one":
        planted = str(attacker.http.cookies[COOKIE])
    browser = Browser(portal)
    browser.http.cookies.set(COOKIE, planted, **DOMAIN)
    await sign_in(browser, victim.user.email)
    assert browser.http.cookies[COOKIE] != planted
    assert victim.user.email in (await browser.get("/app/profile")).text
    fixed = Browser(portal)
    fixed.http.cookies.set(COOKIE, planted, **DOMAIN)
    assert victim.user.email not in (await fixed.get("/app/profile")).text


async def test_signing_in_and_a_new_role_change_the_token_and_signing_out_kills_it(portal: Installation) -> None:
    """Tries to go on with a token that was seen before the person signed in again, was promoted, or signed out."""
    owner = visitors.member(portal)
    member = visitors.member(portal, Role.VIEWER, owner.account_id)
    tokens = [str(member.http.cookies[COOKIE])]
    await sign_in(member, member.user.email)
    tokens.append(str(member.http.cookies[COOKIE]))
    await owner.post(f"/app/members/{member.user.id}/role", {"role": "developer"})
    await member.get("/app")
    tokens.append(str(member.http.cookies[COOKIE]))
    assert len(set(tokens)) == 3
    await member.post("/logout")
    for token in tokens:
        old = Browser(portal)
        old.http.cookies.set(COOKIE, token, **DOMAIN)
        assert (await old.get("/app")).headers["location"] == "/login?next=/app"


async def test_a_member_who_is_removed_mid_session_sees_nothing_more(portal: Installation) -> None:
    """Tries to work on in an account with a session, a page and a form from before the removal."""
    owner = visitors.member(portal)
    member = visitors.member(portal, Role.OWNER, owner.account_id)
    token = forms_token(member)
    assert (await member.get("/app/keys")).status_code == 200
    await owner.post(f"/app/members/{member.user.id}/remove")
    form = {"csrf": token, "name": "late", "scopes": ["predict"]}
    assert (await member.http.post("/app/keys", data=form)).status_code == 403
    for path in ("/app", "/app/keys", "/app/invoices", "/app/members", "/app/playground", "/app/settings"):
        assert (await member.get(path)).status_code == 403
    assert [key.name for key in portal.services.accounts.list_keys(owner.account_id)] == []


async def test_two_last_owners_who_leave_at_once_leave_one(portal: Installation) -> None:
    """Tries to orphan an account by removing both owners at the same moment."""
    one = visitors.member(portal)
    other = visitors.member(portal, Role.OWNER, one.account_id)
    forms = [(one, other.user.id), (other, one.user.id), (one, one.user.id), (other, other.user.id)]
    data = [{"csrf": forms_token(browser)} for browser, _ in forms]
    sent = zip(forms, data, strict=True)
    await asyncio.gather(*(b.http.post(f"/app/members/{user}/remove", data=form) for (b, user), form in sent))
    assert len([m for m in portal.services.members.list(one.account_id) if m.role is Role.OWNER]) == 1


DOORS = {LinkPurpose.SIGN_UP: "join", LinkPurpose.RESET: "reset", LinkPurpose.EMAIL_CHANGE: "confirm-email"}


def form_of(purpose: LinkPurpose) -> dict[str, str]:
    return {} if purpose is LinkPurpose.EMAIL_CHANGE else {"password": visitors.PASSWORD}


@pytest.mark.parametrize("purpose", DOORS)
async def test_a_link_works_once_and_for_its_own_purpose(portal: Installation, purpose: LinkPurpose) -> None:
    """Tries to use a link twice, and one purpose's link at the door of another."""
    member = visitors.member(portal)
    whose = None if purpose is LinkPurpose.SIGN_UP else member.user.id
    email = member.user.email if purpose is LinkPurpose.RESET else new_email("link")
    token = Belongings(portal, member.account_id).link_token(purpose, email=email, user_id=whose)
    for other in set(DOORS) - {purpose}:
        assert (await member.get(f"/{DOORS[other]}/{token}")).status_code == 404
        assert (await member.post(f"/{DOORS[other]}/{token}", form_of(other))).status_code == 404
    door = f"/{DOORS[purpose]}/{token}"
    first = await member.post(door, form_of(purpose))
    assert first.status_code == 303, text_of(first)
    member.sign_in_as(email if purpose is LinkPurpose.EMAIL_CHANGE else member.user.email)
    assert (await member.post(door, form_of(purpose))).status_code == 404
    assert (await member.post(f"/{DOORS[purpose]}/{'A' * 43}", form_of(purpose))).status_code == 404
    assert (await member.get(door)).status_code == 404


async def test_a_link_to_a_new_password_dies_with_the_old_password(portal: Installation) -> None:
    """Tries a reset link that an intruder kept, after its owner has changed the password."""
    member = visitors.member(portal)
    link = Belongings(portal, member.account_id).link_token(
        LinkPurpose.RESET, email=member.user.email, user_id=member.user.id
    )
    intruder = Browser(portal)
    intruder.sign_in_as(member.user.email)
    forget_limits(portal)
    changed = await member.post("/app/profile/password", {"old": visitors.PASSWORD, "new": "another long password"})
    assert changed.status_code == 303, text_of(changed)
    assert (await Browser(portal).post(f"/reset/{link}", {"password": visitors.PASSWORD})).status_code == 404
    assert (await intruder.get("/app/profile")).status_code == 303
    assert (await member.get("/app/profile")).status_code == 200


async def test_an_invitation_is_accepted_only_with_the_password_of_its_address(portal: Installation) -> None:
    """Tries to enter an account with a forwarded invitation, and to set a user's password by one."""
    owner, invited, thief = visitors.member(portal), visitors.member(portal), visitors.member(portal)
    forget_limits(portal)
    await owner.post("/app/members/invite", {"email": invited.user.email, "role": "owner"})
    link = await link_to(portal, invited.user.email, "join")
    for browser in (Browser(portal), thief):
        answer = await browser.post(link, {"password": "the thief's own password"})
        assert answer.status_code == 401
        assert COOKIE not in answer.headers.get("set-cookie", "")
    assert portal.services.members.membership(thief.user.id, owner.account_id) is None
    assert (await invited.post(link)).status_code == 303
    membership = portal.services.members.membership(invited.user.id, owner.account_id)
    assert membership
    assert membership.role is Role.OWNER
    await sign_in(Browser(portal), invited.user.email)


async def test_nobody_prepares_an_account_for_somebody_else_s_address(portal: Installation) -> None:
    """Tries to have a user with a known password wait for the owner of the address (account pre-hijacking)."""
    email = new_email("victim")
    forget_limits(portal)
    await Browser(portal).post("/signup", {"email": email, "account": "Prepared"})
    forget_limits(portal)
    answer = await Browser(portal).post("/login", {"email": email, "password": visitors.PASSWORD})
    assert answer.status_code == 401
    assert not [user for user in portal.services.accounts.list_users() if user.email == email]


async def test_a_removed_member_s_older_invitation_lets_nobody_back_in(portal: Installation) -> None:
    """Tries to come back after a removal with an invitation that was never used."""
    owner = visitors.member(portal)
    user = visitors.new_user(portal)
    forget_limits(portal)
    await owner.post("/app/members/invite", {"email": user.email, "role": "owner"})
    link = await link_to(portal, user.email, "join")
    portal.services.members.add(owner.account_id, user.email, Role.VIEWER, by=INSTALLATION)
    await owner.post(f"/app/members/{user.id}/remove")
    answer = await Browser(portal).post(link, {"password": visitors.PASSWORD})
    assert answer.status_code == 404
    assert portal.services.members.membership(user.id, owner.account_id) is None


@pytest.mark.parametrize(("url", "prefix"), [("http://meter.example", ""), ("https://meter.example", "__Host-")])
def test_cookies_are_hidden_from_scripts_and_bound_to_the_host(url: str, prefix: str) -> None:
    """Tries to read the session from a script, over plain http, or from a sibling of the host."""
    cookies, response = Cookies(url, 3600), Response()
    cookies.set_session(response, "token")
    cookies.set_account(response, "acct_1")
    cookies.set_attempt(response, "attempt")
    cookies.set_forms_secret(response, "secret")
    sent = response.headers.getlist("set-cookie")
    assert len(sent) == 4
    for cookie in sent:
        assert cookie.startswith(f"{prefix}faremeter_")
        parts = set(cookie.lower().split("; "))
        assert {"httponly", "path=/", "samesite=lax"} <= parts
        assert ("secure" in parts) == (prefix != "")
        assert "domain=" not in cookie.lower()


async def test_the_page_sends_no_cookie_that_scripts_could_read(portal: Installation) -> None:
    browser = Browser(portal)
    answers = [await browser.get("/"), await browser.post("/preferences", {"theme": "dark"})]
    forget_limits(portal)
    answers.append(await browser.post("/login", dict(zip(("email", "password"), OPERATOR, strict=True))))
    answers.append(await browser.post("/logout"))
    sent = [cookie for answer in answers for cookie in answer.headers.get_list("set-cookie")]
    assert len(sent) >= 5
    assert all("httponly" in cookie.lower() and "samesite=lax" in cookie.lower() for cookie in sent)
