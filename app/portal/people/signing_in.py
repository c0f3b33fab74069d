"""From a person who has proved who it is to a browser that is signed in, and back."""

from fastapi import Request
from starlette.responses import RedirectResponse, Response

from app.accounts.account import User
from app.bootstrap import Services
from app.portal.frame.forms import local_path
from app.portal.frame.page_route import cookies_of
from app.portal.frame.visitor import services_of, visitor_of


def sign_in(request: Request, user: User, *, to: str = "", account_id: str | None = None) -> Response:
    """Open a session with a fresh token, whatever the browser brought, and go to a path of this site.

    Without one, go where the user has something to do.
    """
    services, visitor = services_of(request), visitor_of(request)
    if visitor.visit is not None:
        services.sessions.close(visitor.visit.token, address=visitor.address)
    agent = request.headers.get("user-agent", "")
    _, token = services.sessions.open(user, address=visitor.address, agent=agent)
    response = RedirectResponse(local_path(to, first_page(services, user)), status_code=303)
    cookies_of(services).set_session(response, token)
    if account_id is not None:
        cookies_of(services).set_account(response, account_id)
    return response


def first_page(services: Services, user: User) -> str:
    """Return where a user begins: in an account, or, as an operator without one, at the installation's books."""
    return "/operator" if user.operator and not services.members.accounts_of(user.id) else "/app"
