"""Signing in and out."""

import pytest

from app.accounts.user_store import find_user_by_id
from app.audit_log.entry import AuditEntry
from app.members.role import Role
from tests.api.installation import OPERATOR, Installation
from tests.portal import visitors
from tests.portal.browser import Browser, text_of

PASSWORD = " blanks at both ends count "


@pytest.fixture(scope="module")
def email(portal: Installation) -> str:
    """The address of a member of an account who signs in with PASSWORD."""
    user = portal.services.accounts.create_user("Login@example.test", PASSWORD, operator=False)
    portal.services.members.add(visitors.account(portal), user.email, Role.DEVELOPER)
    return user.email


def newest_entry(portal: Installation, action: str) -> AuditEntry:
    return next(entry for entry in portal.services.audit_log.list() if entry.action == action)


async def test_who_signs_in_comes_where_the_way_led(portal: Installation, email: str) -> None:
    browser = Browser(portal)
    turned_away = await browser.get("/app/profile")
    assert turned_away.headers["location"] == "/login?next=/app/profile"
    assert 'value="/app/profile"' in (await browser.get(turned_away.headers["location"])).text
    answer = await browser.post(
        "/login", {"email": " LOGIN@example.test", "password": PASSWORD, "next": "/app/profile"}
    )
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/profile")
    assert f"You are signed in as {email}." in text_of(await browser.get("/app/profile"))
    assert newest_entry(portal, "user.signed_in").actor.address == "127.0.0.1"


@pytest.mark.parametrize("elsewhere", ["https://evil.test", "//evil.test", "/\\evil.test", ""])
async def test_signing_in_leads_to_no_other_site(portal: Installation, email: str, elsewhere: str) -> None:
    answer = await Browser(portal).post("/login", {"email": email, "password": PASSWORD, "next": elsewhere})
    assert answer.headers["location"] == "/app"


async def test_an_operator_without_an_account_begins_at_the_books(portal: Installation) -> None:
    answer = await Browser(portal).post("/login", {"email": OPERATOR[0], "password": OPERATOR[1]})
    assert answer.headers["location"] == "/operator"
    assert (await visitors.operator(portal).get("/login")).headers["location"] == "/operator"
    assert (await visitors.member(portal).get("/login?next=/app/keys")).headers["location"] == "/app/keys"


async def test_an_unknown_address_and_a_wrong_password_are_answered_alike(portal: Installation, email: str) -> None:
    browser = Browser(portal)
    wrong = await browser.post("/login", {"email": email, "password": PASSWORD.strip(), "next": "/app/keys"})
    unknown = await browser.post("/login", {"email": "no" + email, "password": PASSWORD, "next": "/app/keys"})
    for answer in (wrong, unknown):
        assert answer.status_code == 401
        assert "The e-mail address or the password is wrong." in text_of(answer)
        assert 'value="/app/keys"' in answer.text
        assert PASSWORD.strip() not in answer.text
        assert "set-cookie" not in answer.headers
    assert text_of(wrong) == text_of(unknown)


async def test_a_token_from_outside_never_becomes_a_session(portal: Installation, email: str) -> None:
    browser = Browser(portal)
    browser.http.cookies.set("faremeter_session", "a" * 43, domain="portal.example.test", path="/")
    await browser.post("/login", {"email": email, "password": PASSWORD})
    token = browser.http.cookies["faremeter_session"]
    assert token != "a" * 43
    assert portal.services.sessions.visit("a" * 43) is None
    assert portal.services.sessions.visit(token)


async def test_signing_in_again_ends_the_session_before(portal: Installation, email: str) -> None:
    somebody = visitors.member(portal)
    before = somebody.http.cookies["faremeter_session"]
    await somebody.post("/login", {"email": email, "password": PASSWORD})
    after = portal.services.sessions.visit(somebody.http.cookies["faremeter_session"])
    assert after
    assert after.user.email == email
    assert portal.services.sessions.visit(before) is None


async def test_signing_out_ends_the_session_and_its_cookies(portal: Installation) -> None:
    somebody = visitors.member(portal)
    token = somebody.http.cookies["faremeter_session"]
    answer = await somebody.post("/logout")
    assert answer.headers["location"] == "/login?done=signed-out"
    assert "faremeter_session" not in somebody.http.cookies
    assert portal.services.sessions.visit(token) is None
    assert "You are signed out." in text_of(await somebody.get(answer.headers["location"]))
    entry = newest_entry(portal, "user.signed_out")
    with portal.services.database.reading() as session:
        assert find_user_by_id(session, entry.target) == somebody.user
    assert (await somebody.post("/logout")).status_code == 303


async def test_a_form_from_another_site_signs_nobody_in_or_out(portal: Installation, email: str) -> None:
    form = {"email": email, "password": PASSWORD}
    browser, somebody = Browser(portal), visitors.member(portal)
    assert (await browser.http.post("/login", data=form)).status_code == 403
    assert (await browser.post("/login", form, headers={"Origin": "https://evil.test"})).status_code == 403
    assert (await somebody.post("/logout", {"csrf": "0" * 64})).status_code == 403
    assert (await somebody.get("/app/profile")).status_code == 200


async def test_a_field_that_the_form_does_not_have_is_refused(portal: Installation, email: str) -> None:
    answer = await Browser(portal).post("/login", {"email": email, "password": PASSWORD, "operator": "1"})
    assert answer.status_code == 400


async def test_without_a_provider_there_is_no_way_to_one(portal: Installation) -> None:
    browser = Browser(portal)
    assert "/login/oidc" not in (await browser.get("/login")).text
    assert (await browser.get("/login/oidc")).status_code == 401
    assert (await browser.get("/login/callback?code=x&state=y")).status_code == 401
