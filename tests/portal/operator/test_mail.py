"""The outbox's folder as operators see it."""

import pytest

from app.portal.operator.mail import links_in
from tests.api.installation import OPERATOR, Installation
from tests.installation_fixtures import PORTAL_URL
from tests.portal import visitors
from tests.portal.browser import Browser, text_of
from tests.portal.mailbox import mail_in_folder, new_email
from tests.portal.visitors import PASSWORD


def entries(portal: Installation, target: str) -> list[tuple[str, str]]:
    found = portal.services.audit_log.list(limit=500)
    return [(entry.action, entry.actor.id) for entry in found if entry.target == target]


async def test_the_list_tells_of_a_mail_and_shows_no_link(portal: Installation) -> None:
    to, link = new_email("ada"), f"{PORTAL_URL}/join/abc_-123"
    name = mail_in_folder(portal, to=to, text=f"Hello\n\n{link}\n", subject="A <b>subject</b>")
    page = await visitors.operator(portal).get("/operator/mail")
    assert f"A <b>subject</b> {to}" in text_of(page)
    assert "<b>subject" not in page.text
    assert f'action="/operator/mail/{name}"' in page.text
    assert "/join/" not in page.text


async def test_an_opened_mail_shows_its_link_and_the_audit_log_tells_who_saw_it(portal: Installation) -> None:
    to, link = new_email("ada"), f"{PORTAL_URL}/join/abc_-123"
    name = mail_in_folder(portal, to=to, text=f"Hello\n\n{link}\n\nhttps://evil.test/join/x\n", subject="<b>Hi")
    mail_id = name.partition("-")[2]
    assert entries(portal, mail_id) == []
    operator = visitors.operator(portal)
    page = await operator.post(f"/operator/mail/{name}")
    assert f"To {to}, " in text_of(page)
    assert f">{link}</pre>" in page.text
    assert ">https://evil.test" not in page.text
    assert "<b>Hi" not in page.text
    assert page.headers["cache-control"] == "no-store"
    found = portal.services.accounts.users([actor for _, actor in entries(portal, mail_id)])
    assert [action for action, _ in entries(portal, mail_id)] == ["mail.read"]
    assert [user.email for user in found.values()] == [OPERATOR[0]]
    assert f"Opened the mail {mail_id}" in text_of(await operator.get("/operator/audit-log"))


async def test_a_mail_to_another_operator_stays_closed_and_an_own_one_opens(portal: Installation) -> None:
    colleague = new_email("Colleague")
    portal.services.accounts.create_user(colleague, PASSWORD, operator=True)
    name = mail_in_folder(portal, to=colleague, text=f"{PORTAL_URL}/reset/abc_-123")
    answer = await visitors.operator(portal).post(f"/operator/mail/{name}")
    assert answer.status_code == 403
    assert "This mail is for another operator" in text_of(answer)
    assert "/reset/" not in answer.text
    assert entries(portal, name.partition("-")[2]) == []
    browser = Browser(portal)
    browser.sign_in_as(colleague.lower())
    assert "/reset/abc_-123" in (await browser.post(f"/operator/mail/{name}")).text


@pytest.mark.parametrize("name", ["20260315T120000Z-mail_none", "..%2f..%2ffaremeter", "x"])
async def test_what_is_no_mail_of_the_folder_is_not_found(portal: Installation, name: str) -> None:
    assert (await visitors.operator(portal).post(f"/operator/mail/{name}")).status_code == 404


@pytest.mark.parametrize(
    ("text", "links"),
    [
        ("Click\nhttp://f.test/reset/A-b_9\nor not", ("http://f.test/reset/A-b_9",)),
        ("http://f.test/join/1 http://f.test/join/2", ("http://f.test/join/1", "http://f.test/join/2")),
        ("http://f.test.evil/join/1", ()),
        ("http://evil/?http://f.test/join/1", ()),
        ("http://f.test/join/1?x=<script>", ()),
    ],
)
def test_links_are_those_of_this_installation(text: str, links: tuple[str, ...]) -> None:
    assert links_in(text, "http://f.test") == links
