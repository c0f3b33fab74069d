"""Who asks learns nothing about who else is here: known and unknown addresses are answered alike."""

import re
from typing import Any

import httpx
import pytest

from app.audit_log.actor import INSTALLATION
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import Browser
from tests.portal.locks.callers import forget_limits
from tests.portal.mailbox import new_email

_VARIES = re.compile(r'req_\w+|value="[0-9a-f]{64}"')


def shape_of(answer: httpx.Response, *addresses: str) -> Any:
    """Return everything of an answer that could tell, its length included, but for what was typed."""
    text = answer.text
    for address in addresses:
        text = text.replace(address, "x" * 40)
    hidden = {"x-request-id", "content-length"}
    headers = {name: value for name, value in answer.headers.items() if name not in hidden}
    return answer.status_code, _VARIES.sub("", text), headers


async def answers(portal: Installation, path: str, emails: list[str], **form: str) -> list[Any]:
    shapes = []
    for email in emails:
        forget_limits(portal)
        browser = Browser(portal)
        await browser.token()
        shapes.append(shape_of(await browser.post(path, {"email": email, **form}), email))
    return shapes


@pytest.mark.parametrize(
    ("path", "form"),
    [("/signup", {"account": "New"}), ("/forgot", {}), ("/login", {"password": "a wrong password"})],
)
async def test_a_form_of_strangers_answers_alike_for_known_and_unknown(
    portal: Installation, path: str, form: dict[str, str]
) -> None:
    """Tries to learn who has an account from the answer, its length, its headers or its cookies."""
    known, operator = visitors.member(portal), visitors.another_operator(portal)
    known_email, operator_email, unknown = known.user.email, operator.user.email, new_email("unknown")
    first, *others = await answers(portal, path, [known_email, operator_email, unknown], **form)
    assert others == [first, first]


@pytest.mark.parametrize(("path", "form"), [("/signup", {"account": "New"}), ("/forgot", {})])
async def test_known_and_unknown_addresses_come_to_the_same_limit(
    portal: Installation, path: str, form: dict[str, str]
) -> None:
    """Tries to learn who has an account from when the throttle begins."""
    counts = []
    for email in (visitors.member(portal).user.email, new_email("unknown")):
        forget_limits(portal)
        browser = Browser(portal)
        statuses = [(await browser.post(path, {"email": email, **form})).status_code for _ in range(8)]
        counts.append(statuses)
    forget_limits(portal)
    assert counts[0] == counts[1]


async def test_an_invitation_says_nothing_of_whether_the_address_is_known(portal: Installation) -> None:
    """Tries to learn who has an account by inviting addresses into one's own."""
    owner, known = visitors.member(portal), visitors.member(portal)
    shapes = []
    for email in (known.user.email, new_email("unknown")):
        forget_limits(portal)
        answer = await owner.post("/app/members/invite", {"email": email, "role": "viewer"})
        page = await owner.get("/app/members")
        identifier = portal.services.members.invitations(owner.account_id)[-1].id
        portal.services.members.cancel_invitation(owner.account_id, identifier, by=INSTALLATION)
        shapes.append((shape_of(answer, email), shape_of(page, email, identifier)))
    assert shapes[0] == shapes[1]


async def test_a_change_of_address_says_nothing_of_whether_it_is_taken(portal: Installation) -> None:
    """Tries to learn who has an account by asking for that person's address as one's own."""
    member, known = visitors.member(portal), visitors.member(portal)
    shapes = []
    for email in (known.user.email, new_email("unknown")):
        forget_limits(portal)
        form = {"email": email, "password": visitors.PASSWORD}
        shapes.append(shape_of(await member.post("/app/profile/email", form), email))
    assert shapes[0] == shapes[1]


async def test_a_member_s_id_of_another_account_and_a_made_up_one_are_alike(portal: Installation) -> None:
    """Tries to learn which user ids exist."""
    owner, stranger = visitors.member(portal), visitors.member(portal)
    made_up = stranger.user.id[:-4] + "0000"
    for action, form in (("remove", {}), ("role", {"role": "viewer"})):
        foreign = await owner.post(f"/app/members/{stranger.user.id}/{action}", form)
        unknown = await owner.post(f"/app/members/{made_up}/{action}", form)
        assert foreign.status_code == unknown.status_code == 404
        assert shape_of(foreign, stranger.user.id) == shape_of(unknown, made_up)


@pytest.mark.parametrize(
    "email",
    [
        "victim@example.test\r\nBcc: everybody@example.test",
        "victim@example.test\nSubject: other",
        "victim@example.test%0d%0aBcc: x@example.test",
        "victim@example.test,other@example.test",
        "<victim@example.test>",
        "victim@example.test\u2028Bcc: x",
        "Name <victim@example.test>",
        "victim@example.test\0",
    ],
)
async def test_no_header_is_written_into_a_mail_by_an_address(portal: Installation, email: str) -> None:
    """Tries to add recipients or headers to a mail."""
    owner = visitors.member(portal)
    for browser, path, form in (
        (Browser(portal), "/signup", {"account": "New"}),
        (Browser(portal), "/forgot", {}),
        (owner, "/app/members/invite", {"role": "viewer"}),
        (owner, "/app/profile/email", {"password": visitors.PASSWORD}),
    ):
        forget_limits(portal)
        answer = await browser.post(path, {"email": email, **form})
        assert answer.status_code == 400, (path, email)


@pytest.mark.parametrize("name", ["New\r\nBcc: x@example.test", "New\nSubject: other", "New\u2028Bcc: x", "New\0"])
async def test_no_header_is_written_into_a_mail_by_the_name_of_an_account(portal: Installation, name: str) -> None:
    """Tries to add headers to the invitation, whose subject names the account."""
    owner = visitors.member(portal)
    assert (await owner.post("/app/settings", {"name": name})).status_code == 400
    forget_limits(portal)
    answer = await Browser(portal).post("/signup", {"email": new_email("new"), "account": name})
    assert answer.status_code == 400
