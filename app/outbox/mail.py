"""One mail: from here to a person, as plain text and as HTML."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Mail:
    """A mail that goes out."""

    id: str
    to: str
    subject: str
    text: str
    html: str
    created_at: datetime


def name_of(written_at: datetime, mail_id: str) -> str:
    """Return a mail's name: names are in the order of time."""
    return f"{written_at:%Y%m%dT%H%M%SZ}-{mail_id}"
