"""Markup in every name that a person may choose: stored by the forms and the interface, shown as text on every page.

Tries to run a script in the browser of whoever looks, out of a text and out of an attribute.
"""

import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any
from weakref import WeakKeyDictionary

import pytest
from fastapi import FastAPI

from app.members.mail_text import MailKind, write_mail
from app.members.mailed_link import LinkPurpose
from app.members.role import Role
from tests.api.installation import ROW, Installation
from tests.portal import visitors
from tests.portal.browser import Browser, text_of
from tests.portal.locks.belongings import Belongings
from tests.portal.locks.callers import forget_limits, forms_token
from tests.portal.locks.cast import cast_of
from tests.portal.locks.requests_of_pages import id_of, prepared
from tests.portal.locks.served_routes import served_route
from tests.portal.locks.test_forged_requests import victim_of
from tests.portal.pages import OPERATOR_ONLY, PAGES, Page

ATTACK = "'\"><script src=//evil.test></script><img src=x onerror=pwned()>{{7919*7927}}%(name)s"
IN_EMAIL = "'onfocus='pwned`1`'autofocus='{{7919*7927}}"  # what an address may hold: no <, >, blank or double quote
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
        source = dict(attrs).get("src") or ""
        if tag in {"script", "iframe", "object", "embed", "base"} and not source.startswith("/static/"):
            self.found.append(f"<{tag}>")


def leads_away(address: str) -> bool:
    """Tell whether an address runs something, or leads to another site."""
    return bool(re.match(r"\s*([a-z]+:|//|/\\)", address, re.IGNORECASE)) and not address.startswith("data:image/")


def assert_harmless(html: str) -> None:
    reader = MarkupFound()
    reader.feed(html)
    assert reader.found == []
    assert "62773913" not in html  # 7919 * 7927: a template that was rendered twice
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


_attacked: WeakKeyDictionary[FastAPI, visitors.Member] = WeakKeyDictionary()


async def owner_full_of_markup(portal: Installation) -> visitors.Member:
    """Return the owner of the account that is full of markup, one an installation."""
    if portal.app not in _attacked:
        _attacked[portal.app] = await write_markup(portal)
    return _attacked[portal.app]


async def write_markup(portal: Installation) -> visitors.Member:
    """Write markup wherever a name may be written, by the forms that people have."""
    forget_limits(portal)
    owner = visitors.member(portal, Role.OWNER)
    owner.http.headers["User-Agent"] = ATTACK
    account_id, name = owner.account_id, ATTACK[:100]

    async def write(path: str, **form: Any) -> None:
        answer = await owner.http.post(path, data={"csrf": forms_token(owner), **form})
        assert answer.status_code in {200, 201, 303}, text_of(answer)

    await write("/app/settings", name=name)
    await write("/app/keys", name=name, mode="live", scopes=["predict"])
    await write("/app/members/invite", email=f"invited{IN_EMAIL}@example.test", role="viewer")
    other = visitors.member(portal, Role.DEVELOPER, account_id)
    email = f"{id(owner)}{IN_EMAIL}@example.test"
    link = Belongings(portal, account_id).link_token(LinkPurpose.EMAIL_CHANGE, email=email, user_id=other.user.id)
    assert (await other.post(f"/confirm-email/{link}")).status_code == 303
    portal.services.sessions.open(owner.user, address="127.0.0.1", agent=ATTACK)
    assert (await portal.predict(portal.another_key(account_id, name=name), [ROW])).status_code == 200
    return owner


@pytest.mark.parametrize("page", READS, ids=id_of)
async def test_markup_in_names_is_text_on_every_page(portal: Installation, page: Page) -> None:
    owner = await owner_full_of_markup(portal)
    browser: Browser = victim_of(portal, page) if page.needs == OPERATOR_ONLY else owner
    if page.path == "/login":
        browser = Browser(portal)
    request = await prepared(browser, page, Belongings(portal, owner.account_id, browser))
    answer = await request()
    assert answer.status_code == page.status
    assert_harmless(answer.text)
    assert page.path not in SHOWING or "pwned" in answer.text  # else nothing was tried


@pytest.mark.parametrize("page", READS, ids=id_of)
async def test_markup_in_a_query_is_text_where_it_comes_back(portal: Installation, page: Page) -> None:
    browser = Browser(portal) if page.path == "/login" else victim_of(portal, page)
    path = await Belongings(portal, cast_of(portal).account_id, browser).fill(page.path)
    for name in served_route(portal.app, "GET", page.path).parameters | {"done"}:
        for value in (ATTACK, "javascript:pwned()"):
            answer = await browser.get(path, params={name: value})
            assert answer.status_code < 500, (name, value)
            assert_harmless(answer.text)


@pytest.mark.parametrize("page", [page for page in PAGES if page.method != "GET" and page.form], ids=id_of)
async def test_markup_in_a_form_is_text_where_the_form_comes_back(portal: Installation, page: Page) -> None:
    browser = victim_of(portal, page)
    belongings = Belongings(portal, cast_of(portal).account_id, browser)
    path, form = await belongings.fill(page.path), await belongings.fill_form(page.form)
    for name in form:
        for value in (ATTACK, ATTACK * 3, "\0", "\u202e\ud7ff", "=1+1"):
            forget_limits(portal)
            answer = await browser.http.post(path, data={**form, name: value, "csrf": forms_token(browser)})
            assert answer.status_code < 500, (name, value, answer.text)
            assert_harmless(answer.text)


@pytest.mark.parametrize("path", ["/", "/app/playground/linear", "/app/welcome", "/operator/models"])
async def test_markup_in_what_a_manifest_says_is_text(
    portal: Installation, path: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Tries to run a script by the title, the description or the reason of a model that somebody handed over."""
    engine = portal.services.engine
    (linear,) = (state for state in engine.catalogue() if state.name == "linear")
    assert linear.manifest
    manifest = replace(linear.manifest, title=ATTACK, description=ATTACK)
    monkeypatch.setattr(engine, "catalogue", lambda: [replace(linear, manifest=manifest, reason=ATTACK)])
    browser: Browser = visitors.operator(portal) if path.startswith("/operator") else visitors.member(portal)
    page = await browser.get(path)
    assert page.status_code == 200
    assert_harmless(page.text)
    assert path == "/app/welcome" or "evil.test" in page.text


def test_a_mail_shows_an_account_s_name_as_text() -> None:
    words = write_mail(MailKind.INVITATION, "en", url="http://portal.example.test/join/x", account=ATTACK)
    assert "<script" not in words.html
    assert "<img" not in words.html
