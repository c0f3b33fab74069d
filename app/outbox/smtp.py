"""Delivery by SMTP; off this machine never without TLS, unless the operator says so."""

import contextlib
import smtplib
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from ipaddress import ip_address
from urllib.parse import parse_qs, unquote, urlsplit

from app.errors import Invalid
from app.outbox.delivery import NeverDelivered, NotDelivered

_TIMEOUT_S = 10
_PERMANENT = 500
_PORT_OF = {"smtp": 25, "smtps": 465}


@dataclass(frozen=True, slots=True)
class SmtpServer:
    """Where mail is handed over. `tls` from the first byte, or `starttls` before anything is said."""

    host: str
    port: int
    tls: bool
    starttls: bool
    user: str | None = None
    password: str | None = field(default=None, repr=False)


def parse_smtp_url(url: str) -> SmtpServer:
    """Read `smtp://USER:PASSWORD@HOST:PORT?starttls=no` or `smtps://…`. Raises Invalid, which never repeats the URL."""
    try:
        parts = urlsplit(url)
        host, port, options = parts.hostname, parts.port, parse_qs(parts.query, strict_parsing=bool(parts.query))
    except ValueError:
        host, options = None, {}
    wanted = options.pop("starttls", ["yes" if host and not _is_loopback(host) else "no"])
    if not host or parts.scheme not in _PORT_OF or parts.path.strip("/") or options or wanted not in (["yes"], ["no"]):
        raise Invalid(
            "this is not the address of a mail server",
            where="FAREMETER_SMTP_URL",
            hint="write smtp://USER:PASSWORD@HOST:PORT, smtps://…, or add ?starttls=no",
        )
    return SmtpServer(
        host=host,
        port=port or _PORT_OF[parts.scheme],
        tls=parts.scheme == "smtps",
        starttls=parts.scheme == "smtp" and wanted == ["yes"],
        user=unquote(parts.username) if parts.username else None,
        password=unquote(parts.password) if parts.password else None,
    )


class SmtpDelivery:
    """One connection a message: mails here are few, and a connection that waits is one that breaks."""

    def __init__(self, server: SmtpServer) -> None:
        self._server = server

    def deliver(self, message: EmailMessage, *, name: str) -> None:  # noqa: ARG002 - the folder's, not SMTP's
        try:
            connection = self._connected()
            try:
                connection.send_message(message)
            finally:
                _hang_up(connection)
        except smtplib.SMTPRecipientsRefused as error:
            codes = [code for code, _ in error.recipients.values()]
            kind = NeverDelivered if min(codes) >= _PERMANENT else NotDelivered
            raise kind(f"the server refused the address ({codes[0]})") from error
        except smtplib.SMTPResponseException as error:
            raise NotDelivered(f"the server answered {error.smtp_code}") from error
        except (smtplib.SMTPException, OSError) as error:
            raise NotDelivered(f"the server does not do it: {type(error).__name__}") from error

    def _connected(self) -> smtplib.SMTP:
        server = self._server
        if server.tls:
            context = ssl.create_default_context()
            connection: smtplib.SMTP = smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT_S, context=context)
        else:
            connection = smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT_S)
        try:
            if server.starttls:
                connection.starttls(context=ssl.create_default_context())
            if server.user is not None:
                connection.login(server.user, server.password or "")
        except BaseException:
            connection.close()
            raise
        return connection


def _hang_up(connection: smtplib.SMTP) -> None:
    """Say goodbye; what the server makes of it changes nothing about a message that it has taken or refused."""
    try:
        with contextlib.suppress(smtplib.SMTPException, OSError):
            connection.quit()
    finally:
        connection.close()


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
