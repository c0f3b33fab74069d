"""Delivery into a folder that only the installation's own user reads: where mail lies until a mail server is set."""

import heapq
import os
import re
from dataclasses import dataclass
from datetime import datetime
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import default
from pathlib import Path

from app.outbox.delivery import NotDelivered
from app.outbox.mail import name_of

_FOLDER = "outbox"
_SUFFIXES = (".eml", ".part")
_NAME = re.compile(r"\d{8}T\d{6}Z-\w+", re.ASCII)


@dataclass(frozen=True, slots=True)
class FolderMail:
    """A mail as it lies in the folder."""

    name: str
    to: str
    subject: str
    sent_at: datetime
    text: str

    @property
    def mail_id(self) -> str:
        return self.name.partition("-")[2]


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
    """Return the mails of the folder, newest first; what is no mail of ours, or has just gone, is left out."""
    newest = heapq.nlargest(limit, (data_dir / _FOLDER).glob("*.eml"))
    return [mail for file in newest if (mail := _mail_of(file))]


def find_folder_mail(data_dir: Path, name: str) -> FolderMail | None:
    """Return the mail of that name."""
    return _mail_of(data_dir / _FOLDER / f"{name}.eml") if _NAME.fullmatch(name) else None


def sweep_folder(data_dir: Path, *, written_before: datetime) -> None:
    """Delete the mails from before the instant; what began there and was never finished goes with them."""
    bound = name_of(written_before, "")
    for file in (data_dir / _FOLDER).glob("*"):
        if file.suffix in _SUFFIXES and _NAME.fullmatch(file.stem) and file.stem < bound:
            file.unlink(missing_ok=True)


def _mail_of(file: Path) -> FolderMail | None:
    try:
        message = message_from_bytes(file.read_bytes(), policy=default)
        body = message.get_body(("plain",))
        text = str(body.get_content()) if body else ""
    except (OSError, LookupError):  # it was swept just now, or is in a charset that does not exist
        return None
    date = message["Date"]
    if date is None or date.datetime is None:
        return None
    return FolderMail(
        name=file.stem,
        to=str(message["To"]),
        subject=str(message["Subject"]),
        sent_at=date.datetime,
        text=text.replace("\r\n", "\n"),
    )
