"""The people of an account: who they are, who is asked to join, and what each may do."""

from typing import Annotated

from fastapi import APIRouter, Form, Request
from starlette.responses import RedirectResponse, Response

from app.bootstrap import Services
from app.errors import AppError
from app.members.role import Role
from app.portal.frame.forms import PageForm
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import form_page
from app.portal.frame.visitor import Caller, MembersReader, MembersWriter, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)


class InvitationForm(PageForm):
    """Whom to invite, and as what."""

    role: Role
    email: str = ""


class RoleForm(PageForm):
    """What a member is from now on."""

    role: Role


@router.get("/app/members")
def show(request: Request, caller: MembersReader, services: ServicesDep) -> Response:
    """Show members, and to whom may change them, open invitations and the forms."""
    return _page(request, caller, services)


@router.post("/app/members/invite")
def invite(
    request: Request, form: Annotated[InvitationForm, Form()], caller: MembersWriter, services: ServicesDep
) -> Response:
    """Mail an invitation; one to the same address ends."""
    language = caller.visitor.preferences.language
    try:
        services.members.invite(caller.account.id, form.email, form.role, by=caller.actor, language=language)
    except AppError as error:
        return _page(request, caller, services, invited=form, problem=error)
    return RedirectResponse("/app/members?done=invited", status_code=303)


@router.post("/app/members/invitations/{invitation_id}/cancel")
def cancel(
    invitation_id: str, _form: Annotated[PageForm, Form()], caller: MembersWriter, services: ServicesDep
) -> Response:
    """Make an invitation worthless. Raises InvitationNotFound."""
    services.members.cancel_invitation(caller.account.id, invitation_id, by=caller.actor)
    return RedirectResponse("/app/members?done=cancelled", status_code=303)


@router.post("/app/members/{user_id}/role")
def change_role(
    request: Request, user_id: str, form: Annotated[RoleForm, Form()], caller: MembersWriter, services: ServicesDep
) -> Response:
    """Give a member another role. Raises MemberNotFound."""
    try:
        services.members.change_role(caller.account.id, user_id, form.role, by=caller.actor)
    except AppError as error:
        return _page(request, caller, services, problem=error)
    return RedirectResponse("/app/members?done=role", status_code=303)


@router.post("/app/members/{user_id}/remove")
def remove(
    request: Request, user_id: str, _form: Annotated[PageForm, Form()], caller: MembersWriter, services: ServicesDep
) -> Response:
    """Take a member out of the account. Raises MemberNotFound."""
    try:
        services.members.remove(caller.account.id, user_id, by=caller.actor)
    except AppError as error:
        return _page(request, caller, services, problem=error)
    itself = user_id == caller.user.id
    return RedirectResponse("/app" if itself else "/app/members?done=removed", status_code=303)


def _page(
    request: Request,
    caller: Caller,
    services: Services,
    *,
    invited: InvitationForm | None = None,
    problem: AppError | None = None,
) -> Response:
    return form_page(
        request,
        "pages/members.html",
        members=services.members.list(caller.account.id),
        invitations=services.members.invitations(caller.account.id),
        invitations_open=services.members.invitations_open,
        roles=list(Role),
        invited=invited,
        own_id=caller.user.id,
        problem=problem,
    )
