"""How a message leaves: what every way out promises."""

from email.message import EmailMessage
from typing import Protocol

from app.errors import AppError, Kind, Unavailable


class NotDelivered(Unavailable):
    """The message did not leave now; the same message may leave later."""

    code = "mail_not_delivered"


class NeverDelivered(AppError):
    """The message was refused for good: its address does not exist, or cannot be written in a header."""

    kind = Kind.FAILED
    code = "mail_refused"


class Delivery(Protocol):
    """A way out."""

    def deliver(self, message: EmailMessage, *, name: str) -> None:
        """Hand the message over; `name` is its own. Raises NotDelivered, NeverDelivered."""
        ...
