"""The account's part of the audit log, newest first, in words."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.audit_log.entry import AuditEntry
from app.bootstrap import Services
from app.portal.frame.audit_text import AuditWords
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import render
from app.portal.frame.translations import translations
from app.portal.frame.visitor import AuditReader, Caller, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_PAGE_ROWS = 50


@router.get("/app/audit-log")
def show(request: Request, caller: AuditReader, services: ServicesDep, before: str = "") -> Response:
    """Show a page of entries, those before the entry `before`."""
    found = services.audit_log.list(caller.account.id, before or None, _PAGE_ROWS + 1)
    entries = found[:_PAGE_ROWS]
    return render(
        request,
        "pages/audit_log.html",
        entries=entries,
        words=_words(services, caller, entries),
        before=before,
        next_before=entries[-1].id if len(found) > _PAGE_ROWS else None,
    )


def _words(services: Services, caller: Caller, entries: Sequence[AuditEntry]) -> AuditWords:
    ids = {entry.actor.id for entry in entries} | {entry.target for entry in entries}
    return AuditWords(
        catalogue=translations(caller.visitor.preferences.language),
        people=services.accounts.users(ids),
        members=services.members.among(caller.account.id, ids),
        keys={key.id: key.name for key in services.accounts.keys(caller.account.id, ids).values()},
        invitees=services.members.invited(ids),
    )
