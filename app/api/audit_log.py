"""/v1/admin/audit-log: who changed what, for operators."""

from typing import Annotated, Any

from fastapi import APIRouter, Query

from app.api.dependencies import AuditCursor, Limit, Operator, ServicesDep
from app.api.fields import Reference
from app.api.wire import Page, instant, page
from app.audit_log.entry import AuditEntry

router = APIRouter(prefix="/v1/admin", tags=["admin"])
OfAccount = Annotated[Reference | None, Query(description="only what concerns this account")]


@router.get("/audit-log")
def list_audit_log(
    _operator: Operator, services: ServicesDep, account: OfAccount = None, cursor: AuditCursor = "", limit: Limit = 50
) -> Page[dict[str, Any]]:
    """List every change that was made, the newest first."""
    entries = services.audit_log.list(account, cursor or None, limit + 1)
    return page(entries, limit, entry_body, lambda entry: entry.id)


def entry_body(entry: AuditEntry) -> dict[str, Any]:
    """Return an entry with its actor."""
    actor = entry.actor
    return {
        "id": entry.id,
        "occurred_at": instant(entry.occurred_at),
        "actor": {"kind": actor.kind, "id": actor.id, "address": actor.address},
        "action": entry.action,
        "target": entry.target,
        "account": entry.account_id,
        "details": dict(entry.details),
    }
