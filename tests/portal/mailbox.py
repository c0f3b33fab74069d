"""Mail addresses of their own for tests, and the links in the mails that an installation sent there."""

import asyncio
import re
from itertools import count

from app.outbox.folder import folder_mails
from tests.api.installation import Installation
from tests.installation_fixtures import PORTAL_URL

_numbers = count(1)
_LINK = re.compile(re.escape(PORTAL_URL) + r"(/\S+)")


def new_email(name: str) -> str:
    """Return an address that no other test uses: the installations of a session share the folder of mails."""
    return f"{name}{next(_numbers)}@example.test"


async def link_to(portal: Installation, email: str, room: str) -> str:
    """Wait for a mail to the address with a link into a room (`join`, `reset`, …); return the newest link's path."""
    while not (found := _links(portal, email, room)):  # noqa: ASYNC110 - a real postman tells nobody
        await asyncio.sleep(0.01)
    return found[0]


def _links(portal: Installation, email: str, room: str) -> list[str]:
    mails = folder_mails(portal.services.settings.data_dir)
    texts = [mail.text for mail in mails if mail.to == email]
    links = [found[1] for text in texts if (found := _LINK.search(text))]
    return [link for link in links if link.startswith(f"/{room}")]
