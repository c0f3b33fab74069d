"""Delivery by SMTP, to a real server on this machine."""

import socket
from collections.abc import Iterator
from datetime import timedelta
from email import message_from_bytes
from email.message import Message
from email.policy import default

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session

from app.clock import FrozenClock
from app.errors import Invalid
from app.outbox.delivery import NotDelivered
from app.outbox.message import message_of
from app.outbox.smtp import SmtpDelivery, SmtpServer, parse_smtp_url
from tests.outbox.mail_room import TO, MailRoom


class Mailboxes:
    """What a server does with mail: refuses as often as it is told to, and keeps the rest."""

    def __init__(self, *refusals: str) -> None:
        self.refusals = list(refusals)
        self.messages: list[Message] = []
        self.goodbye = "221 Bye"

    async def handle_QUIT(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return self.goodbye

    async def handle_RCPT(  # noqa: N802 - the library's name
        self, server: SMTP, session: Session, envelope: Envelope, address: str, options: list[str]
    ) -> str:
        if address.startswith("nobody"):
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if self.refusals:
            return self.refusals.pop(0)
        self.messages.append(message_from_bytes(envelope.content or b"", policy=default))  # type: ignore[arg-type]  # bytes, as decode_data is off
        return "250 OK"


def check(server: SMTP, session: Session, envelope: Envelope, mechanism: str, given: object) -> AuthResult:
    right = isinstance(given, LoginPassword) and (given.login, given.password) == (b"meter", b"p@ss:word")
    return AuthResult(success=right, handled=False)  # the server says so: 235, or 535


@pytest.fixture
def mailboxes() -> Mailboxes:
    return Mailboxes()


@pytest.fixture
def server(mailboxes: Mailboxes) -> Iterator[Controller]:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]  # the library itself cannot ask for any free one
    controller = Controller(
        mailboxes, hostname="127.0.0.1", port=port, authenticator=check, auth_require_tls=False, auth_required=False
    )
    controller.start()
    yield controller
    controller.stop()


def url_of(server: Controller, credentials: str = "") -> str:
    return f"smtp://{credentials}127.0.0.1:{server.port}"


def way_to(server: Controller, credentials: str = "") -> SmtpDelivery:
    return SmtpDelivery(parse_smtp_url(url_of(server, credentials)))


def test_a_mail_arrives_as_it_was_written(room: MailRoom, server: Controller, mailboxes: Mailboxes) -> None:
    mail = room.enqueue("Grüße, 你好")
    assert room.postman(way_to(server)).deliver_waiting() == 1
    (message,) = mailboxes.messages
    assert (message["Subject"], message["To"], message["From"]) == ("Grüße, 你好", TO, "Meter <meter@meter.example>")
    assert message["Message-ID"] == f"<{mail.id}@meter.example>"
    assert {part.get_content_type() for part in message.walk()} == {
        "multipart/alternative",
        "text/plain",
        "text/html",
    }


def test_after_a_failed_attempt_a_mail_is_delivered_once(
    room: MailRoom, clock: FrozenClock, server: Controller, mailboxes: Mailboxes
) -> None:
    mailboxes.refusals = ["451 come back later"]
    room.enqueue()
    postman = room.postman(way_to(server))
    assert postman.deliver_waiting() == 0
    assert room.rows()[0].last_error == "the server answered 451"
    clock.advance(timedelta(seconds=30))
    assert postman.deliver_waiting() == 1
    assert postman.deliver_waiting() == 0
    assert len(mailboxes.messages) == 1


@pytest.mark.parametrize("goodbye", ["421 too busy to say goodbye", "500 what", "no answer at all"])
def test_a_mail_that_was_taken_is_not_sent_again_whatever_the_goodbye(
    room: MailRoom, clock: FrozenClock, server: Controller, mailboxes: Mailboxes, goodbye: str
) -> None:
    mailboxes.goodbye = goodbye
    room.enqueue()
    postman = room.postman(way_to(server))
    assert postman.deliver_waiting() == 1
    clock.advance(timedelta(hours=1))
    assert postman.deliver_waiting() == 0
    assert len(mailboxes.messages) == 1
    assert room.rows()[0].last_error is None


def test_a_mailbox_that_does_not_exist_is_given_up(room: MailRoom, server: Controller) -> None:
    room.enqueue(to="nobody@example.com")
    assert room.postman(way_to(server)).deliver_waiting() == 0
    (row,) = room.rows()
    assert (row.next_attempt_at, row.text, row.last_error) == (None, "", "the server refused the address (550)")


def test_a_password_is_sent_decoded_and_a_wrong_one_is_no_loss(
    room: MailRoom, server: Controller, mailboxes: Mailboxes
) -> None:
    room.enqueue()
    assert room.postman(way_to(server, "meter:wrong@")).deliver_waiting() == 0
    assert room.rows()[0].next_attempt_at is not None
    room.enqueue()
    assert room.postman(way_to(server, "meter:p%40ss%3Aword@")).deliver_waiting() == 1


def test_a_server_that_is_away_or_speaks_no_tls_gets_the_mail_later(room: MailRoom, server: Controller) -> None:
    message = message_of(room.enqueue(), sender="meter@meter.example")
    no_tls = SmtpServer("127.0.0.1", server.port, tls=False, starttls=True)
    with pytest.raises(NotDelivered):  # never in the clear where TLS was asked for
        SmtpDelivery(no_tls).deliver(message, name="one")
    tls = SmtpServer("127.0.0.1", server.port, tls=True, starttls=False)
    with pytest.raises(NotDelivered):
        SmtpDelivery(tls).deliver(message, name="one")
    away = SmtpServer("127.0.0.1", 1, tls=False, starttls=False)  # a port where nobody listens
    with pytest.raises(NotDelivered):
        SmtpDelivery(away).deliver(message, name="one")


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://mail.example", SmtpServer("mail.example", 25, tls=False, starttls=True)),
        ("smtp://mail.example:587?starttls=no", SmtpServer("mail.example", 587, tls=False, starttls=False)),
        ("smtp://127.0.0.1:1025", SmtpServer("127.0.0.1", 1025, tls=False, starttls=False)),
        ("smtp://[::1]:1025/", SmtpServer("::1", 1025, tls=False, starttls=False)),
        ("smtp://localhost?starttls=yes", SmtpServer("localhost", 25, tls=False, starttls=True)),
        ("smtps://u%40x:p%3Aw@mail.example", SmtpServer("mail.example", 465, True, False, "u@x", "p:w")),
    ],
)
def test_a_url_names_a_server(url: str, server: SmtpServer) -> None:
    assert parse_smtp_url(url) == server
    assert "p:w" not in repr(server)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "mail.example",
        "http://mail.example",
        "smtp://",
        "smtp://mail.example:port",
        "smtp://mail.example/path",
        "smtp://mail.example?starttls=maybe",
        "smtp://u:secret@mail.example?tls=1",
        "smtp://u:secret@[::1",
    ],
)
def test_what_names_no_server_is_refused_without_its_password(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        parse_smtp_url(url)
    assert caught.value.where == "FAREMETER_SMTP_URL"
    assert "secret" not in str(caught.value)
