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
