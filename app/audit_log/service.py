"""Reading the audit log."""

from app.audit_log import store
from app.audit_log.entry import AuditEntry
from app.database import Database


class AuditLog:
    """Who changed what: every change that a person made, newest first."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def list(self, account_id: str | None = None, before: str | None = None, limit: int = 50) -> list[AuditEntry]:
        """Return the entries of one account or of the whole installation, those before the entry `before`."""
        with self._database.reading() as session:
            return store.list_entries(session, account_id=account_id, before=before, limit=limit)
