"""GET /operator/audit-log: who changed what, in the whole installation or in one account."""

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.audit_log.actor import ActorKind
from app.portal.page_route import PageRoute
from app.portal.rendering import render
from app.portal.visitor import OperatorDep, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_PAGE_ROWS = 50


@router.get("/operator/audit-log")
def show(
    request: Request, _operator: OperatorDep, services: ServicesDep, account: str = "", before: str = ""
) -> Response:
    """Show the newest entries first, those before the entry `before`."""
    found = services.audit_log.list(account or None, before or None, _PAGE_ROWS + 1)
    entries = found[:_PAGE_ROWS]
    acting = {entry.actor.id for entry in entries if entry.actor.kind is ActorKind.USER}
    return render(
        request,
        "pages/operator_audit_log.html",
        entries=entries,
        users=services.accounts.users(acting),
        account=account,
        before=before,
        next_before=entries[-1].id if len(found) > _PAGE_ROWS else None,
    )
