"""All SQL of process leases, and of what the dead have left behind."""

from collections.abc import Sequence
from datetime import datetime

from sqlalchemy import and_, delete, exists, or_, select
from sqlalchemy.orm import Session

from app.charging.claim_store import in_order_of_keys
from app.charging.lease_watch import Lease
from app.charging.tables import ClaimRow, ProcessLeaseRow
from app.database import dialect_of, insert_into


def renew_lease(session: Session, lease_id: str, *, host: str, pid: int, started_at: datetime) -> None:
    """Give a sign of life in the lease's row; insert it where there is none, or none any more."""
    values = {"id": lease_id, "renewals": 1, "host": host, "pid": pid, "started_at": started_at}
    statement = insert_into(session, ProcessLeaseRow).values(values)
    alive = {"renewals": ProcessLeaseRow.renewals + 1}
    session.execute(statement.on_conflict_do_update(index_elements=["id"], set_=alive))


def end_lease(session: Session, lease_id: str) -> None:
    session.execute(delete(ProcessLeaseRow).where(ProcessLeaseRow.id == lease_id))


def all_leases(session: Session) -> list[Lease]:
    """Return every process's lease."""
    return [Lease(row.id, row.renewals, row.host, row.pid) for row in session.scalars(select(ProcessLeaseRow))]


def end_leases_that_stand(session: Session, leases: Sequence[Lease]) -> int:
    """Delete the leases that have not been renewed since they were read; return their number."""
    if not leases:
        return 0
    row = ProcessLeaseRow
    stands = or_(*(and_(row.id == lease.id, row.renewals == lease.renewals) for lease in leases))
    return len(session.scalars(delete(row).where(stands).returning(row.id)).all())


def has_claims_of_dead(session: Session) -> bool:
    """Tell whether a running claim's process has no lease any more."""
    return bool(session.scalar(select(exists().where(*_OF_THE_DEAD))))


def release_claims_of_dead(session: Session) -> int:
    """Free the keys whose call no living process runs; return their number."""
    keys = select(ClaimRow.account_id, ClaimRow.idempotency_key).where(*_OF_THE_DEAD)
    found = session.execute(keys.order_by(*in_order_of_keys(dialect_of(session))).with_for_update()).all()
    for account_id, key in found:
        this = (ClaimRow.account_id == account_id, ClaimRow.idempotency_key == key)
        session.execute(delete(ClaimRow).where(*this))
    return len(found)


_OF_THE_DEAD = (ClaimRow.state == "running", ClaimRow.lease_id.not_in(select(ProcessLeaseRow.id)))
