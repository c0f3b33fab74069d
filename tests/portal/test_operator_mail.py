"""The outbox's folder as operators see it."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from app.outbox.folder import FolderDelivery
from app.outbox.mail import Mail
from app.outbox.message import message_of
from app.portal.operator_mail import links_in
from tests.api.installation import Installation
from tests.installation_fixtures import PORTAL_URL
from tests.portal import people
from tests.portal.browser import text_of


def deliver(data_dir: Path, text: str, to: str = "ada@example.test") -> None:
    mail = Mail("mail_1", to, "A <b>subject</b>", text, f"<p>{text}</p>", datetime(2026, 3, 15, 12, tzinfo=UTC))
    FolderDelivery(data_dir).deliver(
        message_of(mail, sender="Faremeter <faremeter@localhost>"), name="29990101T000000Z-x"
    )


async def test_a_mail_is_shown_with_its_link_to_be_copied(portal: Installation) -> None:
    deliver(portal.services.settings.data_dir, f"Hello\n\n{PORTAL_URL}/join/abc_-123\n\nhttps://evil.test/join/x\n")
    page = await people.operator(portal).get("/operator/mail")
    assert "To ada@example.test, 15 Mar 2026" in text_of(page)
    assert f">{PORTAL_URL}/join/abc_-123</pre>" in page.text
    assert ">https://evil.test" not in page.text
    assert "A <b>subject</b>" in text_of(page)
    assert "<b>subject" not in page.text


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
