"""Signing in at a real little provider, there and back again."""

import html
import re
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from urllib.parse import quote, urlencode

import pytest
import pytest_asyncio

from app.members.open_id_attempt import read_attempt, write_attempt
from tests.api.installation import Installation
from tests.installation_fixtures import NOON, PORTAL_URL, Start
from tests.members.provider import CLIENT_ID, CLIENT_SECRET, Provider, serving
from tests.portal.browser import Browser, text_of
from tests.portal.mailbox import new_email

PASSWORD = "correct horse battery"
CALLBACK = "/login/callback"


@pytest.fixture(scope="module")
def provider() -> Iterator[Provider]:
    provider = Provider(int(NOON.timestamp()))
    with serving(provider):
        yield provider


@pytest_asyncio.fixture(scope="module", loop_scope="session")
async def federated(sqlite_file: str, start: Start, provider: Provider) -> AsyncIterator[Installation]:
    """An installation whose people sign in at the provider."""
    settings = {
        "default_plan": "payg",
        "public_url": PORTAL_URL,
        "oidc_issuer": provider.issuer,
        "oidc_client_id": CLIENT_ID,
        "oidc_client_secret": CLIENT_SECRET,
        "oidc_name": "Example & Sons",
    }
    async with start(sqlite_file, **settings) as installation:
        yield installation


async def way_back(browser: Browser, provider: Provider, query: str = "") -> str:
    """Go to the provider and return the address of the way back."""
    answer = await browser.get(f"/login/oidc{query}")
    assert answer.status_code == 303
    assert answer.headers["location"].startswith(f"{provider.issuer}/authorize?")
    return f"{CALLBACK}?{urlencode(provider.follow(answer.headers['location']))}"


async def test_a_newcomer_comes_in_and_comes_back(federated: Installation, provider: Provider) -> None:
    provider.person |= {"sub": "newcomer", "email": new_email("federated"), "name": "Ada's lab"}
    browser = Browser(federated)
    assert "Continue with Example & Sons" in text_of(await browser.get("/login"))
    assert "Continue with Example & Sons" in text_of(await browser.get("/signup"))
    answer = await browser.get(await way_back(browser, provider, "?zone=Asia/Kathmandu"))
    assert (answer.status_code, answer.headers["location"]) == (303, "/app")
    assert "faremeter_attempt" not in browser.http.cookies
    page = text_of(await browser.get("/app/settings"))
    assert "Ada's lab" in page
    assert "Asia/Kathmandu" in page

    again = Browser(federated)
    answer = await again.get(await way_back(again, provider, "?next=/app/keys%3Fa%3D1"))
    assert answer.headers["location"] == "/app/keys?a=1"
    assert f"You are signed in as {provider.person['email']}." in text_of(await again.get("/app/profile"))


@pytest.mark.parametrize("elsewhere", ["https://evil.test/", "//evil.test", "/\\evil.test", "/" + "x" * 600])
async def test_the_way_back_leads_to_no_other_site(federated: Installation, provider: Provider, elsewhere: str) -> None:
    provider.person |= {"sub": "newcomer", "email": new_email("federated")}
    browser = Browser(federated)
    answer = await browser.get(await way_back(browser, provider, f"?next={quote(elsewhere)}&zone=Mars"))
    assert answer.headers["location"] == "/app"


async def test_an_answer_counts_in_the_browser_that_asked_and_once(federated: Installation, provider: Provider) -> None:
    provider.person |= {"sub": "newcomer", "email": new_email("federated")}
    browser, other = Browser(federated), Browser(federated)
    back = await way_back(browser, provider)
    refused = await other.get(back)
    assert (refused.status_code, "The sign-in at the provider did not work." in text_of(refused)) == (401, True)
    assert "faremeter_session" not in other.http.cookies
    assert (await browser.get(back)).status_code == 303
    assert (await browser.get(back)).status_code == 401


async def test_who_has_a_password_binds_the_sign_in_with_it_and_ends_it(
    federated: Installation, provider: Provider
) -> None:
    user = federated.services.accounts.create_user(new_email("bound"), PASSWORD, operator=False)
    provider.person |= {"sub": "bound", "email": user.email}
    stranger = Browser(federated)
    refused = await stranger.get(await way_back(stranger, provider))
    assert (refused.status_code, "bind this sign-in in your profile" in text_of(refused)) == (409, True)

    browser = Browser(federated)
    browser.sign_in_as(user.email)
    wrong = await browser.post("/app/profile/identities", {"password": "not the one"})
    assert (wrong.status_code, "The password is wrong." in text_of(wrong)) == (401, True)
    page = await browser.post("/app/profile/identities", {"password": PASSWORD})
    (address,) = re.findall(rf'href="({provider.issuer}/authorize\?[^"]+)"', page.text)
    back = f"{CALLBACK}?{urlencode(provider.follow(html.unescape(address)))}"
    answer = await browser.get(back)
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/profile?done=bound")
    assert f"{provider.issuer}, since" in text_of(await browser.get("/app/profile"))

    other = Browser(federated)
    assert (await other.get(await way_back(other, provider))).headers["location"] == "/app"
    ended = await browser.post("/app/profile/identities/end", {"issuer": provider.issuer})
    assert ended.headers["location"] == "/app/profile?done=unbound"
    assert (await other.get("/app/profile")).status_code == 303
    again = await browser.post("/app/profile/identities/end", {"issuer": provider.issuer})
    assert (again.status_code, "This sign-in is not bound to you any more." in text_of(again)) == (404, True)


async def test_a_session_alone_binds_no_sign_in(federated: Installation, provider: Provider) -> None:
    user = federated.services.accounts.create_user(new_email("robbed"), PASSWORD, operator=False)
    provider.person |= {"sub": "robber", "email": new_email("robber")}
    browser = Browser(federated)
    browser.sign_in_as(user.email)
    answer = await browser.get("/login/oidc")
    asked = provider.follow(answer.headers["location"])
    attempt = browser.http.cookies["faremeter_attempt"]
    begun = read_attempt(attempt)
    assert begun
    forged = write_attempt(replace(begun, binds=True))
    browser.http.cookies.set("faremeter_attempt", forged, domain="portal.example.test", path="/")
    refused = await browser.get(f"{CALLBACK}?{urlencode(asked)}")
    assert (refused.status_code, "Give your password once more" in text_of(refused)) == (403, True)


async def test_whom_the_provider_does_not_vouch_for_stays_out(federated: Installation, provider: Provider) -> None:
    provider.person |= {"sub": "unverified", "email": new_email("unverified"), "email_verified": False}
    browser = Browser(federated)
    answer = await browser.get(await way_back(browser, provider))
    provider.person |= {"email_verified": True}
    assert answer.status_code == 403
    assert "The provider does not vouch for your e-mail address." in text_of(answer)
    assert "faremeter_session" not in browser.http.cookies
