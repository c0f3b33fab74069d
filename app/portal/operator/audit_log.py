"""GET /operator/audit-log: who changed what, in the whole installation or in one account."""

from collections.abc import Sequence

from fastapi import APIRouter, Request
from starlette.responses import Response

from app.audit_log.entry import AuditEntry
from app.bootstrap import Services
from app.portal.frame.audit_text import AuditWords
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import render
from app.portal.frame.translations import translations
from app.portal.frame.visitor import OperatorDep, Person, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)
_PAGE_ROWS = 50


@router.get("/operator/audit-log")
def show(
    request: Request, operator: OperatorDep, services: ServicesDep, account: str = "", before: str = ""
) -> Response:
    """Show the newest entries first, those before the entry `before`."""
    found = services.audit_log.list(account or None, before or None, _PAGE_ROWS + 1)
    entries = found[:_PAGE_ROWS]
    return render(
        request,
        "pages/operator_audit_log.html",
        entries=entries,
        words=_words(services, operator, entries),
        account=account,
        before=before,
        next_before=entries[-1].id if len(found) > _PAGE_ROWS else None,
    )


def _words(services: Services, operator: Person, entries: Sequence[AuditEntry]) -> AuditWords:
    """Return words that give everybody a name, operators too; keys of many accounts keep their ids."""
    ids = {each for entry in entries for each in (entry.actor.id, entry.target)}
    people = services.accounts.users(ids)
    return AuditWords(
        catalogue=translations(operator.visitor.preferences.language),
        people=people,
        members=frozenset(people),
        keys={},
        invitees=services.members.invited(ids),
    )
