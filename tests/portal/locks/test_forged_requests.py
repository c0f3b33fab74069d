"""Requests that another site makes a browser send: each form of the application, sent in each way that must fail."""

import json
from typing import Any
from urllib.parse import urlencode

import pytest

from app.portal.frame.csrf import token_of
from tests.api.installation import Installation
from tests.portal.browser import Browser, text_of
from tests.portal.locks.belongings import Belongings
from tests.portal.locks.callers import Caller, forms_token
from tests.portal.locks.cast import cast_of
from tests.portal.locks.database_watch import writes_of
from tests.portal.locks.requests_of_pages import id_of, prepared
from tests.portal.pages import OPERATOR_ONLY, PAGES, Page

FORMS = [page for page in PAGES if page.method != "GET"]
READS = [page for page in PAGES if page.method == "GET"]


def victim_of(portal: Installation, page: Page) -> Browser:
    """Return the browser of somebody who may send the form."""
    return cast_of(portal).browser(Caller.OPERATOR if page.needs == OPERATOR_ONLY else Caller.OWNER)


def forgeries(portal: Installation, form: dict[str, Any], token: str) -> dict[str, dict[str, Any]]:
    """Return the options of each request that must be refused, by what it tries."""
    attackers = forms_token(cast_of(portal).browser(Caller.STRANGER))
    whole = {**form, "csrf": token}
    return {
        "no token": {"data": form},
        "an empty token": {"data": {**form, "csrf": ""}},
        "the token of the attacker's own session": {"data": {**form, "csrf": attackers}},
        "a token beside the right one": {"data": {**form, "csrf": [token, "0" * 64]}},
        "the token in the query alone": {"data": form, "params": {"csrf": token}},
        "the token in a header alone": {"data": form, "headers": {"X-CSRF-Token": token}},
        "a foreign origin": {"data": whole, "headers": {"Origin": "https://evil.test"}},
        "an origin that begins like ours": {
            "data": whole,
            "headers": {"Origin": "http://portal.example.test.evil.test"},
        },
        "the origin of a sandboxed frame": {"data": whole, "headers": {"Origin": "null"}},
        "a cross-site request": {"data": whole, "headers": {"Sec-Fetch-Site": "cross-site"}},
        "a request of a sibling": {"data": whole, "headers": {"Sec-Fetch-Site": "same-site"}},
        "a form as plain text": {"content": urlencode(whole, doseq=True), "headers": {"Content-Type": "text/plain"}},
        "a form as JSON": {"content": json.dumps(whole), "headers": {"Content-Type": "application/json"}},
        "a form without a type": {"content": urlencode(whole, doseq=True)},
    }


@pytest.mark.parametrize("page", FORMS, ids=id_of)
async def test_a_form_that_is_not_ours_is_refused_and_changes_nothing(portal: Installation, page: Page) -> None:
    victim = victim_of(portal, page)
    belongings = Belongings(portal, cast_of(portal).account_id, victim)
    path, form = await belongings.fill(page.path), await belongings.fill_form(page.form)
    token = await victim.token()  # where a new token of the session was due, it has come now
    for attempt, options in forgeries(portal, form, token).items():
        with writes_of(portal.services.database) as written:
            answer = await victim.http.request(page.method, path, **options)
        assert answer.status_code == 403, (attempt, text_of(answer))
        assert not answer.headers.get_list("set-cookie"), attempt
        assert written == [], attempt
    assert (await victim.http.post(path, data={**form, "csrf": forms_token(victim)})).status_code == page.status


@pytest.mark.parametrize("page", FORMS, ids=id_of)
async def test_a_form_of_nobody_needs_the_token_of_its_own_browser(portal: Installation, page: Page) -> None:
    """Tries to sign a victim in as the attacker, or up, with the token that the attacker's own browser was given."""
    cast = cast_of(portal)
    belongings = Belongings(portal, cast.account_id, cast.browser(Caller.OWNER))
    path, form = await belongings.fill(page.path), await belongings.fill_form(page.form)
    attacker, victim = Browser(portal), Browser(portal)
    stolen = await attacker.token()
    await victim.token()
    for token in (stolen, token_of(""), ""):
        with writes_of(portal.services.database) as written:
            answer = await victim.http.post(path, data={**form, "csrf": token})
        assert answer.status_code in {303, 403}
        assert answer.status_code == 403 or answer.headers["location"] == "/login"
        assert written == []


@pytest.mark.parametrize("page", READS, ids=id_of)
async def test_looking_at_a_page_changes_nothing(portal: Installation, page: Page) -> None:
    """Tries a change by a link or a picture, which browsers follow from any site with the cookies of the victim."""
    victim = victim_of(portal, page)
    request = await prepared(victim, page, Belongings(portal, cast_of(portal).account_id, victim))
    with writes_of(portal.services.database) as written:
        await request()
    assert written == []


@pytest.mark.parametrize("page", FORMS, ids=id_of)
async def test_no_other_method_passes_for_the_one_of_a_form(portal: Installation, page: Page) -> None:
    """Tries to send a change as GET, or as a method that some frameworks read from a header, a query or a field."""
    victim = victim_of(portal, page)
    belongings = Belongings(portal, cast_of(portal).account_id, victim)
    path = await belongings.fill(page.path)
    form = {**await belongings.fill_form(page.form), "csrf": forms_token(victim)}
    override: dict[str, Any] = {
        "headers": {"X-HTTP-Method-Override": "POST"},
        "params": {"_method": "POST"} | form,
    }
    with writes_of(portal.services.database) as written:
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "PATCH", "DELETE", "TRACE"):
            await victim.http.request(method, path, **override)
    assert written == []


async def test_the_interface_answers_no_preflight_of_another_site(portal: Installation) -> None:
    """Tries to read the interface from a page of another site."""
    asked = {"Origin": "https://evil.test", "Access-Control-Request-Method": "POST"}
    for path in ("/v1/models/linear/predict", "/v1/keys", "/app/keys", "/login"):
        answer = await portal.http.options(path, headers=asked)
        assert answer.status_code == 405
        assert not [name for name in answer.headers if name.startswith("access-control-")]
