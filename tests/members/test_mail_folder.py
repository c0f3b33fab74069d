"""The folder of mails: operators read one at a time, and what is old goes."""

from datetime import timedelta
from pathlib import Path

import pytest

from app.accounts.service import Accounts
from app.audit_log.actor import Actor, ActorKind
from app.audit_log.service import AuditLog
from app.clock import FrozenClock
from app.database import Database
from app.members.mail_folder import MailFolder, MailNotFound, MailOfOperator
from app.outbox.folder import FolderDelivery
from app.outbox.mail import Mail, name_of
from app.outbox.message import message_of
from tests.builders import NOON
from tests.members.people import PASSWORD


@pytest.fixture
def folder(database: Database, clock: FrozenClock, tmp_path: Path) -> MailFolder:
    return MailFolder(database, clock, tmp_path)


def deliver(data_dir: Path, to: str, mail_id: str = "mail_1") -> str:
    mail, name = Mail(mail_id, to, "Hello", "text\n", "<p>text</p>\n", NOON), name_of(NOON, mail_id)
    FolderDelivery(data_dir).deliver(message_of(mail, sender="meter@meter.example"), name=name)
    return name


def test_a_mail_is_read_in_the_sight_of_the_audit_log(
    folder: MailFolder, accounts: Accounts, database: Database, tmp_path: Path
) -> None:
    name = deliver(tmp_path, "ada@example.com")
    reader = accounts.create_user("op@example.com", PASSWORD, operator=True)
    by = Actor(ActorKind.USER, reader.id)
    assert folder.read(name, reader, by=by).text == "text\n"
    entry = AuditLog(database).list()[0]
    assert (entry.action, entry.target, entry.actor, entry.account_id, entry.details) == (
        "mail.read",
        "mail_1",
        by,
        None,
        {},
    )


def test_an_operators_mail_is_read_by_nobody_else(
    folder: MailFolder, accounts: Accounts, database: Database, tmp_path: Path
) -> None:
    name = deliver(tmp_path, "Root@Example.com")
    root, other = (accounts.create_user(f"{each}@example.com", PASSWORD, operator=True) for each in ("root", "other"))
    with pytest.raises(MailOfOperator):
        folder.read(name, other, by=Actor(ActorKind.USER, other.id))
    assert AuditLog(database).list()[0].action == "user.created"
    assert folder.read(name, root, by=Actor(ActorKind.USER, root.id)).name == name
    customer = deliver(tmp_path, "customer@example.com", "mail_2")
    accounts.create_user("customer@example.com", PASSWORD, operator=False)
    assert folder.read(customer, root, by=Actor(ActorKind.USER, root.id)).name == customer


def test_mails_are_swept_away_after_a_month(folder: MailFolder, clock: FrozenClock, tmp_path: Path) -> None:
    name = deliver(tmp_path, "ada@example.com")
    clock.advance(timedelta(days=30))
    folder.sweep()
    assert [mail.name for mail in folder.newest()] == [name]
    clock.advance(timedelta(seconds=1))
    folder.sweep()
    assert folder.newest() == []


def test_a_mail_that_is_gone_is_not_found(folder: MailFolder, accounts: Accounts) -> None:
    reader = accounts.create_user("op@example.com", PASSWORD, operator=True)
    with pytest.raises(MailNotFound):
        folder.read("20260315T120000Z-mail_9", reader, by=Actor(ActorKind.USER, reader.id))
