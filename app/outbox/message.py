"""A mail as the message that travels (RFC 5322); a line break in a header is refused by the standard library."""

import re
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import formataddr, parseaddr

from app.outbox.delivery import NeverDelivered
from app.outbox.mail import Mail

_UNWRITABLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f]")
_CONTROL = re.compile(r"[\x00-\x1f\x7f-\x9f\u2028\u2029]+")


def message_of(mail: Mail, *, sender: str) -> EmailMessage:
    """Return the message: plain text with an HTML alternative, the same Message-ID at every attempt.

    Raises NeverDelivered for an address that no header can hold.
    """
    message = EmailMessage(policy=SMTP)
    name, address = parseaddr(sender)
    message["From"] = formataddr((name, address))
    message["To"] = _recipient(mail.to)
    message["Subject"] = _CONTROL.sub(" ", mail.subject)
    message["Date"] = mail.created_at
    message["Message-ID"] = f"<{mail.id}@{address.rpartition('@')[2] or 'localhost'}>"
    message["Auto-Submitted"] = "auto-generated"
    message.set_content(mail.text, cte="quoted-printable")
    message.add_alternative(mail.html, subtype="html", cte="quoted-printable")
    return message


def _recipient(address: str) -> Address:
    user, _, host = address.rpartition("@")
    if not user or not host or _UNWRITABLE.search(address):
        raise NeverDelivered("no header can hold this address")
    return Address(username=user, domain=host)
