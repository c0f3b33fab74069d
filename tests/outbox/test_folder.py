"""Mail in the folder: whole files, for the installation's own user alone, and readable as what they are."""

from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.accounts.email_address import folded_email
from app.clock import FrozenClock
from app.outbox.folder import FolderDelivery, find_folder_mail, folder_mails, sweep_folder
from app.outbox.mail import Mail
from app.outbox.message import message_of
from tests.builders import NOON
from tests.outbox.mail_room import SENDER, MailRoom


def test_a_mail_becomes_a_file_that_nobody_else_reads(room: MailRoom, tmp_path: Path) -> None:
    mail = room.enqueue("Grüße, 你好")
    assert room.postman(FolderDelivery(tmp_path)).deliver_waiting() == 1
    (file,) = (tmp_path / "outbox").iterdir()
    assert file.name == f"20260315T120000Z-{mail.id}.eml"
    assert (file.stat().st_mode & 0o777, file.parent.stat().st_mode & 0o777) == (0o600, 0o700)
    (found,) = folder_mails(tmp_path)
    assert (found.name, found.to, found.subject, found.sent_at, found.text) == (
        file.stem,
        "ada@example.com",
        "Grüße, 你好",
        NOON,
        "Plain: secret-token\n",
    )


def test_the_newest_mail_is_listed_first_and_an_empty_folder_lists_none(
    room: MailRoom, clock: FrozenClock, tmp_path: Path
) -> None:
    assert folder_mails(tmp_path) == []
    for number in range(3):
        room.enqueue(f"number {number}")
        clock.advance(timedelta(seconds=1))
    room.postman(FolderDelivery(tmp_path)).deliver_waiting()
    assert [mail.subject for mail in folder_mails(tmp_path)] == ["number 2", "number 1", "number 0"]
    assert [mail.subject for mail in folder_mails(tmp_path, limit=1)] == ["number 2"]


def test_a_mail_that_is_delivered_again_replaces_itself(tmp_path: Path) -> None:
    mail = Mail("mail_1", "ada@example.com", "Hello", "text\n", "<p>text</p>\n", NOON)
    for _ in range(2):
        FolderDelivery(tmp_path).deliver(message_of(mail, sender=SENDER), name="one")
    assert len(folder_mails(tmp_path)) == 1


def test_a_folder_that_cannot_be_written_is_tried_again(room: MailRoom, clock: FrozenClock, tmp_path: Path) -> None:
    room.enqueue()
    (tmp_path / "outbox").write_text("in the way")
    postman = room.postman(FolderDelivery(tmp_path))
    assert postman.deliver_waiting() == 0
    (tmp_path / "outbox").unlink()
    clock.advance(timedelta(seconds=30))
    assert postman.deliver_waiting() == 1


def folder_with(tmp_path: Path, *names: str, text: bytes | None = None) -> Path:
    """Make the folder with a mail of each name, or with files of another content."""
    mail = Mail("mail_1", "ada@example.com", "Hello", "text\n", "<p>text</p>\n", NOON)
    for name in names:
        FolderDelivery(tmp_path).deliver(message_of(mail, sender=SENDER), name=name)
        if text is not None:
            (tmp_path / "outbox" / f"{name}.eml").write_bytes(text)
    return tmp_path / "outbox"


@pytest.mark.parametrize(
    "text",
    [
        b"",
        b"To: a@b.example\r\nSubject: undated\r\n\r\nx",
        b"To: a@b.example\r\nDate: some day\r\n\r\nx",
        b"Date: Sun, 15 Mar 2026 12:00:00 +0000\r\nContent-Type: text/plain; charset=none-such\r\n\r\n\xff",
    ],
)
def test_what_is_no_mail_hides_none(tmp_path: Path, text: bytes) -> None:
    folder_with(tmp_path, "20260315T120000Z-mail_1")
    folder = folder_with(tmp_path, "20260315T120001Z-mail_2", text=text)
    (folder / "20260315T120002Z-mail_3.eml").symlink_to(folder / "gone.eml")
    assert [mail.mail_id for mail in folder_mails(tmp_path)] == ["mail_1"]
    assert find_folder_mail(tmp_path, "20260315T120001Z-mail_2") is None


def test_a_mail_is_found_by_its_name_and_no_other_file_is(tmp_path: Path) -> None:
    folder_with(tmp_path, "20260315T120000Z-mail_1", "other")
    (tmp_path / "20260315T120000Z-mail_2.eml").write_bytes(b"Date: Sun, 15 Mar 2026 12:00:00 +0000\r\n\r\nx")
    found = find_folder_mail(tmp_path, "20260315T120000Z-mail_1")
    assert found
    assert found.to == "ada@example.com"
    for name in ("20260315T120000Z-mail_9", "../20260315T120000Z-mail_2", "other", "", "20260315T120000Z-mail_1\n"):
        assert find_folder_mail(tmp_path, name) is None


def test_the_folder_is_swept_of_what_is_old(tmp_path: Path) -> None:
    folder = folder_with(tmp_path, "20260315T115959Z-mail_1", "20260315T120000Z-mail_2", "kept")
    (folder / "20260315T115959Z-mail_0.part").write_bytes(b"")
    for _ in range(2):
        sweep_folder(tmp_path, written_before=NOON)
    assert sorted(file.name for file in folder.iterdir()) == ["20260315T120000Z-mail_2.eml", "kept.eml"]
    sweep_folder(tmp_path / "no such folder", written_before=NOON)


_LINES = st.text(st.characters(exclude_categories=["Cs"]), max_size=60)


@given(to=st.text(st.characters(exclude_categories=["Cs"]), min_size=3, max_size=40), subject=_LINES)
def test_no_address_and_no_subject_makes_a_header_of_its_own(to: str, subject: str) -> None:
    address = folded_email(to.replace("at", "@"))
    mail = Mail("mail_1", address or "ada@example.com", subject + "\r\nBcc: all@example.com", "text\n", "<p>", NOON)
    sent = message_of(mail, sender=SENDER).as_bytes()
    headers = sent.partition(b"\r\n\r\n")[0]
    names = [line.partition(b":")[0] for line in headers.split(b"\r\n") if not line[:1].isspace()]
    assert sorted(names) == sorted(
        [b"From", b"To", b"Subject", b"Date", b"Message-ID", b"Auto-Submitted", b"MIME-Version", b"Content-Type"]
    )
