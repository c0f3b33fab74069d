"""All SQL of the audit log."""

import json
from datetime import datetime

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.audit_log.actor import Actor, ActorKind
from app.audit_log.entry import AuditEntry
from app.audit_log.tables import AuditEntryRow
from app.ids import new_id


def record(
    session: Session,
    *,
    by: Actor,
    at: datetime,
    action: str,
    target: str,
    account_id: str | None = None,
    **details: str,
) -> None:
    """Append an entry, to be committed with the change that it tells of."""
    session.add(
        AuditEntryRow(
            id=new_id("aud"),  # in the order of recording, for any number of entries at one instant of the clock
            occurred_at=at,
            actor_kind=by.kind,
            actor_id=by.id,
            actor_address=by.address,
            action=action,
            target=target,
            account_id=account_id,
            details=json.dumps(details, ensure_ascii=False),
        )
    )
    session.flush()


def list_entries(session: Session, *, account_id: str | None, before: str | None, limit: int) -> list[AuditEntry]:
    """Return the newest entries first, of one account or of all, those before the id `before`."""
    query = select(AuditEntryRow).order_by(AuditEntryRow.id.desc()).limit(limit)
    if account_id is not None:
        query = query.where(AuditEntryRow.account_id == account_id)
    if before is not None:
        query = query.where(AuditEntryRow.id < before)
    return [_entry_of(row) for row in session.scalars(query)]


def forget_addresses(session: Session, *, before: datetime) -> None:
    """Let entries from before the instant forget the network address of who acted, and nothing else."""
    session.execute(
        update(AuditEntryRow)
        .where(AuditEntryRow.occurred_at < before, AuditEntryRow.actor_address.is_not(None))
        .values(actor_address=None)
    )


def _entry_of(row: AuditEntryRow) -> AuditEntry:
    return AuditEntry(
        id=row.id,
        occurred_at=row.occurred_at,
        actor=Actor(ActorKind(row.actor_kind), row.actor_id, row.actor_address),
        action=row.action,
        target=row.target,
        account_id=row.account_id,
        details=json.loads(row.details),
    )
