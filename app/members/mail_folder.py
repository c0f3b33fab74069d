"""The folder in which mail lies as long as no mail server is set: whoever reads a mail there may use its link."""

from datetime import timedelta
from pathlib import Path

from app.accounts.account import User
from app.accounts.email_address import folded_email
from app.accounts.user_store import find_user
from app.audit_log.actor import Actor
from app.audit_log.store import record
from app.clock import Clock
from app.database import Database, Session
from app.errors import Forbidden, NotFound
from app.outbox.folder import FolderMail, find_folder_mail, folder_mails, sweep_folder

_KEPT = timedelta(days=30)


class MailNotFound(NotFound):
    """There is no such mail in the folder."""

    code = "mail_not_found"


class MailOfOperator(Forbidden):
    """The mail is for another operator, whose link would let its reader in as that operator."""

    code = "mail_of_operator"


class MailFolder:
    """Lists mails to operators, and lets them read one at a time, which the audit log tells."""

    def __init__(self, database: Database, clock: Clock, data_dir: Path) -> None:
        self._database = database
        self._clock = clock
        self._data_dir = data_dir

    def newest(self) -> list[FolderMail]:
        """Return the newest mails."""
        return folder_mails(self._data_dir)

    def read(self, name: str, reader: User, *, by: Actor) -> FolderMail:
        """Return a mail for an operator to read. Raises MailNotFound, MailOfOperator."""
        mail = find_folder_mail(self._data_dir, name)
        if mail is None:
            raise MailNotFound("there is no such mail", where="mail", hint="mails are kept for 30 days")
        with self._database.transaction() as session:
            _refuse_mail_of_another_operator(session, mail, reader)
            record(session, by=by, at=self._clock.now(), action="mail.read", target=mail.mail_id)
        return mail

    def sweep(self) -> None:
        """Delete mails of long ago."""
        sweep_folder(self._data_dir, written_before=self._clock.now() - _KEPT)


def _refuse_mail_of_another_operator(session: Session, mail: FolderMail, reader: User) -> None:
    found = find_user(session, folded_email(mail.to) or mail.to)
    if found and found[0].operator and found[0].id != reader.id:
        raise MailOfOperator("this mail is for another operator", where="mail", hint="let that operator read it")
