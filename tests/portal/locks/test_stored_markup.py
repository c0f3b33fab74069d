"""Markup in every name that a person may choose: stored by the forms and the interface, shown as text on every page.

Tries to run a script in the browser of whoever looks, out of a text and out of an attribute.
"""

import re
from html.parser import HTMLParser
from typing import Any

import pytest

from app.members.mail_text import MailKind, write_mail
from app.members.mailed_link import LinkPurpose
from app.members.role import Role
from tests.api.installation import ROW, Installation
from tests.portal import people
from tests.portal.browser import Browser, text_of
from tests.portal.locks.belongings import Belongings
from tests.portal.locks.callers import forget_limits, forms_token
from tests.portal.locks.requests_of_pages import id_of, prepared
from tests.portal.locks.served_routes import served_route
from tests.portal.pages import OPERATOR_ONLY, PAGES, PUBLIC, Page

ATTACK = "'\"><script src=//evil.test></script><img src=x onerror=pwned()>{{7*7}}%(name)s"
IN_EMAIL = "'onfocus='pwned`1`'autofocus='{{7*7}}"  # what an address may hold: no <, >, blank or double quote
MARKS = ("evil.test", "pwned")
READS = [page for page in PAGES if page.method == "GET" and not page.path.endswith(".csv")]


# Pages that certainly show what the forms below have stored.
SHOWING = {"/app", "/app/keys", "/app/members", "/app/settings", "/app/audit-log", "/app/playground", "/app/profile"}
SHOWING |= {"/operator/accounts/{account_id}"}


class MarkupFound(HTMLParser):
    """Finds elements and attributes that an attack made: names of tags and attributes, and addresses that run."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        for name, value in attrs:
            runs = name in {"src", "href", "action", "formaction"} and leads_away(value or "")
            if name.startswith("on") or name in {"style", "srcdoc"} or runs or any(mark in name for mark in MARKS):
                self.found.append(f"<{tag} {name}={value!r}>")
        if tag in {"script", "iframe", "object", "embed", "base"} and not dict(attrs).get("src", "").startswith(
            "/static/"
        ):
            self.found.append(f"<{tag}>")


def leads_away(address: str) -> bool:
    """Tell whether an address runs something, or leads to another site."""
    return bool(re.match(r"\s*([a-z]+:|//|/\\)", address, re.IGNORECASE)) and not address.startswith("data:image/")


def assert_harmless(html: str) -> None:
    reader = MarkupFound()
    reader.feed(html)
    assert reader.found == []
    assert "49%" not in html  # a template that was rendered twice
    assert ATTACK not in html


@pytest.mark.parametrize(
    "html",
    [
        "<p onclick=x>",
        "<script>1</script>",
        "<a href='javascript:1'>",
        "<a href=//evil.test>",
        "<p style='x'>",
        f"<p>{ATTACK}",
    ],
)
def test_what_an_attack_would_leave_is_found(html: str) -> None:
    with pytest.raises(AssertionError):
        assert_harmless(html)


@pytest.fixture(scope="module")
def attacked() -> dict[int, dict[str, Any]]:
    """The account that is full of markup, one an installation."""
    return {}


async def full_of_markup(portal: Installation, attacked: dict[int, dict[str, Any]]) -> dict[str, Any]:
    if id(portal) not in attacked:
        attacked[id(portal)] = await write_markup(portal)
    return attacked[id(portal)]


async def write_markup(portal: Installation) -> dict[str, Any]:
    """Write markup wherever a name may be written, by the forms that people have."""
    forget_limits(portal)
    owner = people.member(portal, Role.OWNER)
    owner.http.headers["User-Agent"] = ATTACK
    account_id, name = owner.account_id, ATTACK[:100]

    async def write(path: str, **form: Any) -> None:
        answer = await owner.http.post(path, data={"csrf": forms_token(owner), **form})
        assert answer.status_code in {200, 201, 303}, text_of(answer)

    await write("/app/settings", name=name)
    await write("/app/keys", name=name, mode="live", scopes=["predict"])
    await write("/app/members/invite", email=f"invited{IN_EMAIL}@example.test", role="viewer")
    other = people.member(portal, Role.DEVELOPER, account_id)
    email = f"{id(owner)}{IN_EMAIL}@example.test"
    link = Belongings(portal, account_id).link_token(LinkPurpose.EMAIL_CHANGE, email=email, user_id=other.user.id)
    assert (await other.post(f"/confirm-email/{link}")).status_code == 303
    portal.services.sessions.open(owner.user, address="127.0.0.1", agent=ATTACK)
    assert (await portal.predict(portal.another_key(account_id, name=name), [ROW])).status_code == 200
    return {"account_id": account_id, "owner": owner}


@pytest.mark.parametrize("page", READS, ids=id_of)
async def test_markup_in_names_is_text_on_every_page(
    portal: Installation, attacked: dict[int, dict[str, Any]], page: Page
) -> None:
    facts = await full_of_markup(portal, attacked)
    owner: people.Member = facts["owner"]
    browser: Browser = people.operator(portal) if page.needs == OPERATOR_ONLY else owner
    if page.needs == PUBLIC and page.path == "/login":
        browser = Browser(portal)
    request = await prepared(browser, page, Belongings(portal, facts["account_id"], browser))
    answer = await request()
    assert answer.status_code == page.status
    assert_harmless(answer.text)
    assert page.path not in SHOWING or "pwned" in answer.text  # else nothing was tried


@pytest.mark.parametrize("page", READS, ids=id_of)
async def test_markup_in_a_query_is_text_where_it_comes_back(portal: Installation, page: Page) -> None:
    account_id = people.account(portal)
    browser: Browser = people.member(portal, Role.OWNER, account_id)
    if page.needs == OPERATOR_ONLY:
        browser = people.operator(portal)
    if page.path == "/login":
        browser = Browser(portal)
    path = await Belongings(portal, account_id, browser).fill(page.path)
    for name in served_route(portal.app, "GET", page.path).parameters | {"done"}:
        for value in (ATTACK, "javascript:pwned()"):
            answer = await browser.get(path, params={name: value})
            assert answer.status_code < 500, (name, value)
            assert_harmless(answer.text)


@pytest.mark.parametrize("page", [page for page in PAGES if page.method != "GET" and page.form], ids=id_of)
async def test_markup_in_a_form_is_text_where_the_form_comes_back(portal: Installation, page: Page) -> None:
    account_id = people.account(portal)
    browser = people.operator(portal) if page.needs == OPERATOR_ONLY else people.member(portal, Role.OWNER, account_id)
    belongings = Belongings(portal, account_id, browser)
    path, form = await belongings.fill(page.path), await belongings.fill_form(page.form)
    for name in form:
        for value in (ATTACK, ATTACK * 3, "\0", "\u202e\ud7ff", "=1+1"):
            forget_limits(portal)
            answer = await browser.http.post(path, data={**form, name: value, "csrf": forms_token(browser)})
            assert answer.status_code < 500, (name, value, answer.text)
            assert_harmless(answer.text)


def test_a_mail_shows_an_account_s_name_as_text() -> None:
    words = write_mail(MailKind.INVITATION, "en", url="http://portal.example.test/join/x", account=ATTACK)
    assert "<script" not in words.html
    assert "<img" not in words.html
