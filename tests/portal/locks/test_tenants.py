"""What belongs to somebody else does not exist: each page with somebody's id, asked for by an owner of another account.

Tries to read or change another customer's key, invoice, member, session or invitation by writing its id into a path or
a hidden field.
"""

import re

import httpx
import pytest

from app.members.role import Role
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.locks.belongings import OWNED, Belongings, names_in
from tests.portal.locks.callers import Caller, browser_of
from tests.portal.locks.database_watch import writes_of
from tests.portal.locks.requests_of_pages import id_of, prepared
from tests.portal.pages import OPERATOR_ONLY, PAGES, Page

OWNED_PAGES = [
    page for page in PAGES if page.needs != OPERATOR_ONLY and names_in(page.path, page.form, page.query) & OWNED
]
_REQUEST_ID = re.compile(r"req_\w+")
_TOKEN = re.compile(r'value="[0-9a-f]{64}"')


class Unknown(Belongings):
    """The same things with ids that nobody has."""

    async def fill(self, text: str) -> str:
        for name in names_in(text) & OWNED:
            text = text.replace(f"{{{name}}}", self.id_of(name))
        return await super().fill(text)

    @staticmethod
    def id_of(name: str) -> str:
        return f"{name[:3]}_{'0' * 26}"


@pytest.mark.parametrize("page", OWNED_PAGES, ids=id_of)
async def test_an_id_of_another_account_is_as_unknown_as_one_that_nobody_has(portal: Installation, page: Page) -> None:
    account_id = visitors.account(portal)
    owner = browser_of(portal, Caller.OWNER, account_id)
    stranger = visitors.member(portal, Role.OWNER)
    theirs = Belongings(portal, account_id, owner)
    foreign = await refused(portal, page, stranger, theirs)
    unknown = await refused(portal, page, stranger, Unknown(portal, account_id, stranger))
    assert shape_of(foreign, theirs) == shape_of(unknown, theirs)
    assert (await (await prepared(owner, page, theirs))()).status_code == page.status


async def refused(
    portal: Installation, page: Page, stranger: visitors.Member, belongings: Belongings
) -> httpx.Response:
    request = await prepared(stranger, page, belongings)
    with writes_of(portal.services.database) as written:
        answer: httpx.Response = await request()
    assert answer.status_code == 404
    assert written == []
    return answer


def shape_of(answer: httpx.Response, theirs: Belongings) -> tuple[str, dict[str, str]]:
    """Return the body without ids, and the headers that could tell."""
    text = answer.text
    for name in OWNED:
        for value in (theirs.known.get(name), Unknown.id_of(name)):
            text = text.replace(value, "ID") if value else text
    headers = {name: value for name, value in answer.headers.items() if name not in {"x-request-id", "content-length"}}
    return _TOKEN.sub("TOKEN", _REQUEST_ID.sub("REQUEST", text)), headers


async def test_a_cookie_cannot_choose_an_account_that_its_bearer_does_not_belong_to(portal: Installation) -> None:
    """Tries to look at another account by writing its id into the cookie of the account looked at."""
    theirs = visitors.account(portal)
    secret_name = portal.services.accounts.get_account(theirs).name
    stranger = visitors.member(portal, Role.OWNER)
    stranger.http.cookies.set("faremeter_account", theirs, domain="portal.example.test", path="/")
    for page in PAGES:
        if page.method == "GET" and page.path.startswith("/app") and not names_in(page.path):
            answer = await stranger.get(page.path)
            assert theirs not in answer.text
            assert secret_name not in answer.text
    assert stranger.account_id in (await stranger.get("/app/settings")).text
