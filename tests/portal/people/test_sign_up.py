"""Coming in: the mail, what stands behind its link, and invitations."""

import pytest

from app.members.role import Role
from tests.api.installation import OPERATOR, Installation
from tests.installation_fixtures import Start
from tests.portal import visitors
from tests.portal.browser import Browser, text_of
from tests.portal.mailbox import link_to, new_email

PASSWORD = "four unrelated words here"


async def test_a_newcomer_comes_in_through_the_mailbox(portal: Installation) -> None:
    browser, email = Browser(portal), new_email("newcomer")
    form = {"email": email.title(), "account": "A <b>lab</b>", "zone": "Asia/Kathmandu"}
    answer = await browser.post("/signup", form)
    assert (answer.status_code, answer.headers["location"]) == (303, "/signup?done=sent")
    assert "Check your mail" in text_of(await browser.get(answer.headers["location"]))

    link = await link_to(portal, email, "join")
    page = await browser.get(link)
    assert "The account will be called A <b>lab</b>." in text_of(page)
    assert "<b>lab" not in page.text
    short = await browser.post(link, {"password": "short"})
    assert (short.status_code, "A password has 12 to 256 characters." in text_of(short)) == (400, True)

    answer = await browser.post(link, {"password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/welcome")
    visit = portal.services.sessions.visit(browser.http.cookies["faremeter_session"])
    assert visit
    (membership,) = visit.memberships
    account = membership.account
    assert (visit.user.email, membership.role) == (email, Role.OWNER)
    assert (account.name, account.zone, account.currency) == ("A <b>lab</b>", "Asia/Kathmandu", "USD")
    plan = portal.services.plans.in_effect(account.id, portal.clock.now())
    assert plan
    assert plan.plan_key == "payg"
    for later in (await browser.get(link), await browser.post(link, {"password": PASSWORD})):
        assert (later.status_code, "This link does not work." in text_of(later)) == (404, True)


async def test_looking_at_a_link_does_not_use_it(portal: Installation) -> None:
    email = new_email("looker")
    await Browser(portal).post("/signup", {"email": email, "account": "Lookers"})
    link = await link_to(portal, email, "join")
    for _ in range(3):
        assert (await Browser(portal).get(link)).status_code == 200
    assert (await Browser(portal).post(link, {"password": PASSWORD})).status_code == 303


async def test_a_known_address_is_answered_like_an_unknown_one(portal: Installation) -> None:
    known = await Browser(portal).post("/signup", {"email": OPERATOR[0], "account": "Mine"})
    unknown = await Browser(portal).post("/signup", {"email": new_email("unknown"), "account": "Mine"})
    assert (known.status_code, known.headers["location"]) == (unknown.status_code, unknown.headers["location"])
    await link_to(portal, OPERATOR[0], "login")


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"email": "no address"}, "This is not an e-mail address."),
        ({"account": "two\nlines"}, "A name has 1 to 100 characters on one line."),
        ({"account": "x" * 101}, "A name has 1 to 100 characters on one line."),
    ],
)
async def test_what_is_wrong_is_said_and_what_was_typed_stays(
    portal: Installation, wrong: dict[str, str], text: str
) -> None:
    form = {"email": new_email("typed"), "account": "Typed", **wrong}
    answer = await Browser(portal).post("/signup", form)
    assert (answer.status_code, text in text_of(answer)) == (400, True)
    assert f'value="{form["email"]}"' in answer.text


async def test_an_odd_zone_of_a_browser_keeps_nobody_out(portal: Installation) -> None:
    email = new_email("martian")
    form = {"email": email, "account": "Mars", "zone": "Mars/Olympus"}
    assert (await Browser(portal).post("/signup", form)).status_code == 303
    link = await link_to(portal, email, "join")
    browser = Browser(portal)
    await browser.post(link, {"password": PASSWORD})
    assert (await browser.get("/app/settings")).status_code == 200
    assert "Times are in UTC." in text_of(await browser.get("/app/settings"))


async def test_a_link_in_a_mail_has_the_address_that_the_operator_set(portal: Installation) -> None:
    email = new_email("host")
    form = {"email": email, "account": "Hosts"}
    headers = {"X-Forwarded-Host": "evil.test", "Forwarded": "host=evil.test"}
    assert (await Browser(portal).post("/signup", form, headers=headers)).status_code == 303
    assert (await link_to(portal, email, "join")).startswith("/join/")


async def test_an_invitation_makes_a_user_for_its_address_and_no_other(portal: Installation) -> None:
    owner, email = visitors.member(portal), new_email("invited")
    await owner.post("/app/members/invite", {"email": email, "role": "billing"})
    link = await link_to(portal, email, "join")
    browser = Browser(portal)
    assert "You are invited as billing." in text_of(await browser.get(link))
    answer = await browser.post(link, {"password": PASSWORD, "email": "other@example.test"})
    assert answer.status_code == 400
    answer = await browser.post(link, {"password": PASSWORD})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app")
    visit = portal.services.sessions.visit(browser.http.cookies["faremeter_session"])
    assert visit
    assert [(m.account.id, m.role) for m in visit.memberships] == [(owner.account_id, Role.BILLING)]


async def test_a_user_who_exists_joins_with_the_password_that_it_has(portal: Installation) -> None:
    user = portal.services.accounts.create_user(new_email("has-one"), PASSWORD, operator=False)
    owner = visitors.member(portal)
    await owner.post("/app/members/invite", {"email": user.email, "role": "developer"})
    link = await link_to(portal, user.email, "join")
    stranger = Browser(portal)
    wrong = await stranger.post(link, {"password": "another password 1"})
    assert (wrong.status_code, "The password is wrong." in text_of(wrong)) == (401, True)
    assert portal.services.members.membership(user.id, owner.account_id) is None
    assert (await stranger.post(link, {"password": PASSWORD})).headers["location"] == "/app"
    assert portal.services.members.membership(user.id, owner.account_id)


async def test_who_is_signed_in_joins_with_a_click_and_looks_at_the_new_account(portal: Installation) -> None:
    owner, somebody = visitors.member(portal), visitors.member(portal)
    await owner.post("/app/members/invite", {"email": somebody.user.email, "role": "viewer"})
    link = await link_to(portal, somebody.user.email, "join")
    assert 'type="password"' not in (await somebody.get(link)).text
    assert (await somebody.post(link)).headers["location"] == "/app"
    assert owner.account_id in (await somebody.get("/app/members")).text
    assert (await visitors.member(portal).post(link)).status_code == 404  # used


async def test_sign_up_by_invitation_only_opens_no_account(sqlite_file: str, start: Start) -> None:
    async with start(sqlite_file, default_plan="payg", sign_up="invitation") as closed:
        browser = Browser(closed)
        page = await browser.get("/signup")
        assert (page.status_code, "Sign-up is not open here." in text_of(page)) == (403, True)
        answer = await browser.post("/signup", {"email": "x@example.test", "account": "X"})
        assert (answer.status_code, "Sign-up is not open here." in text_of(answer)) == (403, True)
        assert "/signup" not in (await browser.get("/login")).text
