"""Language, theme and time zone: chosen in a form, kept in a cookie, and nothing else."""

import pytest

from app.portal.frame.forms import local_path
from app.portal.frame.preferences import Language, Preferences, Theme, preferences_of
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import Browser, text_of


@pytest.mark.parametrize(
    ("accepted", "language"),
    [("zh-CN,zh;q=0.9,en;q=0.8", "zh"), ("fr-FR, fr;q=0.9, en", "en"), ("", "en"), ("*", "en"), ("zhong, de", "en")],
)
def test_a_browser_is_answered_in_the_first_of_its_languages_that_we_speak(accepted: str, language: str) -> None:
    assert preferences_of(None, accepted).language == language


def test_a_cookie_is_read_back_as_it_was_written() -> None:
    chosen = Preferences(Language.CHINESE, Theme.DARK, "Asia/Kathmandu")
    assert preferences_of(chosen.cookie_value(), "en") == chosen


@pytest.mark.parametrize("cookie", ["", "language=xx&theme=pink&zone=Mars/Base", "zone=../../etc/passwd", "%00=&&&=;;"])
def test_what_is_odd_in_a_cookie_is_the_default(cookie: str) -> None:
    assert preferences_of(cookie, "") == Preferences()


async def test_what_is_chosen_changes_the_next_page(portal: Installation) -> None:
    browser = Browser(portal)
    assert 'lang="en"' in (await browser.get("/")).text
    answer = await browser.post("/preferences", {"language": "zh", "theme": "dark", "back": "/?a=1"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/?a=1")
    page = (await browser.get("/")).text
    assert 'lang="zh"' in page
    assert 'data-bs-theme="dark"' in page
    await browser.post("/preferences", {"zone": "Asia/Kathmandu"})
    assert "Asia/Kathmandu" in (await browser.get("/")).text


@pytest.mark.parametrize(
    "elsewhere",
    [
        "//evil.test",
        "https://evil.test",
        "/\\evil.test",
        "evil.test",
        "javascript:alert(1)",
        "/\t/evil.test",
        "/a\r\nX: y",
    ],
)
async def test_a_form_leads_back_to_no_other_site(portal: Installation, elsewhere: str) -> None:
    answer = await Browser(portal).post("/preferences", {"theme": "dark", "back": elsewhere})
    assert answer.headers["location"] == "/"
    assert local_path(elsewhere) == "/"


async def test_a_chosen_zone_is_taken_back(portal: Installation) -> None:
    owner = visitors.member(portal, account_id=visitors.account(portal, zone="Asia/Kathmandu"))
    await owner.post("/preferences", {"zone": "Asia/Shanghai"})
    assert "Times are in Asia/Shanghai." in text_of(await owner.get("/app"))
    form = (await owner.get("/preferences")).text
    assert '<option value="account">That of the account</option>' in form
    await owner.post("/preferences", {"zone": "account"})
    assert "Times are in Asia/Kathmandu." in text_of(await owner.get("/app"))
    assert '<option value="account" selected>' in (await owner.get("/preferences")).text


async def test_the_answer_to_a_form_offers_nothing_that_would_lose_it(portal: Installation) -> None:
    owner = visitors.member(portal)
    secret = await owner.post("/app/keys", {"name": "x", "scopes": "predict"})
    assert secret.status_code == 201
    assert 'action="/preferences"' not in secret.text
    assert "/preferences?back" not in secret.text
    assert 'action="/preferences"' in (await owner.get("/app/keys")).text
