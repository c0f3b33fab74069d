"""A person's own things: address, password, sessions."""

from app.accounts.account import User
from app.accounts.user_store import insert_user
from app.ids import new_id
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import Browser, text_of
from tests.portal.mailbox import link_to, new_email

PASSWORD = "correct horse battery"
FIREFOX = "Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:128.0) Gecko/20100101 Firefox/128.0"


def signed_in(portal: Installation, name: str) -> tuple[Browser, User]:
    user = portal.services.accounts.create_user(new_email(name), PASSWORD, operator=False)
    browser = Browser(portal)
    browser.sign_in_as(user.email)
    return browser, user


async def test_a_new_address_counts_once_its_mailbox_was_read(portal: Installation) -> None:
    (browser, user), new = signed_in(portal, "before"), new_email("after")
    wrong = await browser.post("/app/profile/email", {"email": new, "password": "not the one"})
    assert (wrong.status_code, "The password is wrong." in text_of(wrong)) == (401, True)
    assert f'value="{new}"' in wrong.text
    answer = await browser.post("/app/profile/email", {"email": new, "password": PASSWORD})
    assert answer.headers["location"] == "/app/profile?done=email-sent"
    assert f"You are signed in as {user.email}." in text_of(await browser.get("/app/profile"))

    link = await link_to(portal, new, "confirm-email")
    assert (await Browser(portal).get(link)).headers["location"] == f"/login?next={link}"
    assert f"From now on you sign in with {new}." in text_of(await browser.get(link))
    assert f"You are signed in as {user.email}." in text_of(await browser.get("/app/profile"))
    assert (await browser.post(link)).headers["location"] == "/app/profile?done=email"
    assert f"You are signed in as {new}." in text_of(await browser.get("/app/profile"))
    assert (await browser.post(link)).status_code == 404


async def test_a_new_address_is_confirmed_by_who_asked_and_by_nobody_else(portal: Installation) -> None:
    (browser, _), (stranger, _), new = signed_in(portal, "asker"), signed_in(portal, "reader"), new_email("mistyped")
    await browser.post("/app/profile/email", {"email": new, "password": PASSWORD})
    link = await link_to(portal, new, "confirm-email")
    for answer in (await Browser(portal).post(link), await Browser(portal).get(link)):
        assert answer.headers["location"].startswith("/login")
    for answer in (await stranger.get(link), await stranger.post(link)):
        assert (answer.status_code, "Somebody else has asked for this link." in text_of(answer)) == (403, True)
    assert (await browser.get(link)).status_code == 200


async def test_a_changed_password_signs_every_other_browser_out(portal: Installation) -> None:
    browser, user = signed_in(portal, "changer")
    other = Browser(portal)
    other_token = other.sign_in_as(user.email)
    token = browser.http.cookies["faremeter_session"]
    form = {"old": PASSWORD, "new": "quite another password"}
    wrong = await browser.post("/app/profile/password", {**form, "old": "not the one"})
    assert (wrong.status_code, "The password is wrong." in text_of(wrong)) == (401, True)
    answer = await browser.post("/app/profile/password", form)
    assert answer.headers["location"] == "/app/profile?done=password"
    assert "Your password is changed." in text_of(await browser.get(answer.headers["location"]))
    assert browser.http.cookies["faremeter_session"] != token
    assert portal.services.sessions.visit(other_token) is None
    assert portal.services.sign_in.user(user.email, form["new"]) == user


async def test_who_has_no_password_is_shown_the_way_to_one(portal: Installation) -> None:
    user = User(new_id("user"), new_email("elsewhere"), operator=False, created_at=portal.clock.now())
    with portal.services.database.transaction() as session:
        insert_user(session, user, password_hash=None)
    browser = Browser(portal)
    browser.sign_in_as(user.email)
    page = await browser.get("/app/profile")
    assert "You have no password here." in text_of(page)
    assert "/app/profile/password" not in page.text


async def test_sessions_are_listed_and_ended_one_by_one(portal: Installation) -> None:
    somebody = visitors.member(portal)
    services = portal.services
    session, token = services.sessions.open(somebody.user, address="192.0.2.7", agent=FIREFOX)
    page = text_of(await somebody.get("/app/profile"))
    assert "Firefox on Windows 192.0.2.7" in page
    assert "this browser" in page
    answer = await somebody.post(f"/app/profile/sessions/{session.id}/revoke")
    assert answer.headers["location"] == "/app/profile?done=session"
    assert services.sessions.visit(token) is None
    again = await somebody.post(f"/app/profile/sessions/{session.id}/revoke")
    assert (again.status_code, "This browser is signed out already." in text_of(again)) == (404, True)


async def test_nobody_ends_the_session_of_somebody_else(portal: Installation) -> None:
    somebody, victim = visitors.member(portal), visitors.member(portal)
    (session,) = portal.services.sessions.list(victim.user.id)
    assert (await somebody.post(f"/app/profile/sessions/{session.id}/revoke")).status_code == 404
    assert (await victim.get("/app/profile")).status_code == 200


async def test_all_other_sessions_are_ended_at_once(portal: Installation) -> None:
    somebody = visitors.member(portal)
    tokens = [Browser(portal).sign_in_as(somebody.user.email) for _ in range(2)]
    answer = await somebody.post("/app/profile/sessions/revoke-others")
    assert answer.headers["location"] == "/app/profile?done=others"
    assert [portal.services.sessions.visit(token) for token in tokens] == [None, None]
    assert "Sign out everywhere else" not in text_of(await somebody.get("/app/profile"))


async def test_what_a_browser_calls_itself_is_shown_as_text(portal: Installation) -> None:
    somebody = visitors.member(portal)
    portal.services.sessions.open(somebody.user, address=None, agent='"><script>alert(1)</script>')
    page = await somebody.get("/app/profile")
    assert "<script>alert" not in page.text
    assert "<script>alert(1)</script>" in text_of(page)


async def test_an_operator_without_an_account_has_a_profile(portal: Installation) -> None:
    assert "Where you are signed in" in text_of(await visitors.operator(portal).get("/app/profile"))
