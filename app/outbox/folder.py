"""Delivery into a folder that only the installation's own user reads: where mail lies until a mail server is set."""

import os
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from app.outbox.delivery import NotDelivered

_FOLDER = "outbox"


@dataclass(frozen=True, slots=True)
class FolderMail:
    """A mail as it lies in the folder."""

    name: str
    to: str
    subject: str
    sent_at: datetime
    text: str


class FolderDelivery:
    """One file a mail, complete or absent; a mail that is delivered again replaces its own file."""

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / _FOLDER

    def deliver(self, message: EmailMessage, *, name: str) -> None:
        file = self._folder / f"{name}.eml"
        try:
            self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._folder.chmod(0o700)
            unfinished = file.with_suffix(".part")
            unfinished.unlink(missing_ok=True)
            descriptor = os.open(unfinished, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as stream:
                stream.write(message.as_bytes())
            unfinished.replace(file)
        except OSError as error:
            raise NotDelivered(f"the folder cannot be written: {error.strerror}") from error


def folder_mails(data_dir: Path, limit: int = 100) -> list[FolderMail]:
    """Return the mails of the folder, newest first."""
    files = sorted((data_dir / _FOLDER).glob("*.eml"), reverse=True)
    return [_mail_of(file) for file in files[:limit]]


def _mail_of(file: Path) -> FolderMail:
    message = message_from_bytes(file.read_bytes(), policy=default)
    body = message.get_body(("plain",))
    return FolderMail(
        name=file.stem,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        sent_at=message["Date"].datetime,
        text=str(body.get_content()).replace("\r\n", "\n") if body else "",
    )
