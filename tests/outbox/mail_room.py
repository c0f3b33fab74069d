"""Mails that wait on one database, and ways out that do what a test tells them to."""

from collections.abc import Sequence
from email.message import EmailMessage

from sqlalchemy import Row, text

from app.clock import FrozenClock
from app.database import Database
from app.errors import AppError
from app.ids import new_id
from app.outbox.delivery import Delivery
from app.outbox.mail import Mail
from app.outbox.postman import Postman
from app.outbox.store import enqueue

SENDER = "Meter <meter@meter.example>"
TO = "ada@example.com"


class Way:
    """A way out: raises what it is told to, one error a delivery, and then delivers."""

    def __init__(self, *errors: AppError) -> None:
        self._errors = list(errors)
        self.delivered: list[str] = []

    def deliver(self, message: EmailMessage, *, name: str) -> None:
        if self._errors:
            raise self._errors.pop(0)
        self.delivered.append(str(message["Subject"]))


class MailRoom:
    """What waits, and postmen for it."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.database, self.clock = database, clock

    def postman(self, way: Delivery) -> Postman:
        return Postman(self.database, self.clock, way, sender=SENDER)

    def enqueue(self, subject: str = "Hello", to: str = TO) -> Mail:
        now = self.clock.now()
        mail = Mail(new_id("mail", now), to, subject, "Plain: secret-token\n", "<p>secret-token</p>\n", now)
        with self.database.transaction() as session:
            enqueue(session, mail)
        return mail

    def rows(self) -> Sequence[Row[tuple[object, ...]]]:
        with self.database.reading() as session:
            return session.execute(text("SELECT * FROM outgoing_mail ORDER BY id")).all()
