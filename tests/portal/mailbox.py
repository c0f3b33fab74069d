"""Mail addresses of their own for tests, and the links in the mails that an installation sent there."""

import asyncio
import re
from itertools import count

from app.ids import new_id
from app.outbox.folder import FolderDelivery, folder_mails
from app.outbox.mail import Mail, name_of
from app.outbox.message import message_of
from tests.api.installation import Installation
from tests.installation_fixtures import PORTAL_URL

_numbers = count(1)
_LINK = re.compile(re.escape(PORTAL_URL) + r"(/\S+)")


def new_email(name: str) -> str:
    """Return an address that no other test uses: the installations of a session share the folder of mails."""
    return f"{name}{next(_numbers)}@example.test"


def mail_in_folder(portal: Installation, *, to: str = "ada@example.test", text: str = "x", subject: str = "Hi") -> str:
    """Put a mail into the folder as the postman does, the newest of all; return its name."""
    mail = Mail(new_id("mail"), to, subject, text, f"<p>{text}</p>", portal.clock.now())
    name = name_of(mail.created_at, mail.id)
    FolderDelivery(portal.services.settings.data_dir).deliver(message_of(mail, sender="m@example.test"), name=name)
    return name


async def link_to(portal: Installation, email: str, room: str) -> str:
    """Wait for a mail to the address with a link into a room (`join`, `reset`, …); return the newest link's path."""
    while not (found := _links(portal, email, room)):  # noqa: ASYNC110 - a real postman tells nobody
        await asyncio.sleep(0.01)
    return found[0]


def _links(portal: Installation, email: str, room: str) -> list[str]:
    mails = folder_mails(portal.services.settings.data_dir, limit=1000)
    texts = [mail.text for mail in mails if mail.to == email]
    links = [found[1] for text in texts if (found := _LINK.search(text))]
    return [link for link in links if link.startswith(f"/{room}")]
