"""The page of one key, which each of its forms shows again with what is wrong."""

from dataclasses import dataclass

from fastapi import Request
from starlette.responses import Response

from app.accounts.account import ApiKey, KeyPurpose
from app.bootstrap import Services
from app.errors import AppError
from app.members.key_scopes import scopes_of
from app.portal.frame.bounds import BudgetForm, LimitsForm, bounds_of_keys
from app.portal.frame.forms import new_creation_id
from app.portal.frame.rendering import form_page
from app.portal.frame.visitor import Caller


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form that came back holds; None for a form that was not sent."""

    budget: BudgetForm | None = None
    limits: LimitsForm | None = None


def key_page(
    request: Request,
    caller: Caller,
    services: Services,
    key: ApiKey,
    problem: AppError | None = None,
    *,
    typed: Typed | None = None,
) -> Response:
    """Show a key, its bounds, and the forms for those who may send them."""
    typed = typed or Typed()
    bounds = bounds_of_keys(services, caller.account.id, [key])[key.id]
    return form_page(
        request,
        "pages/key.html",
        key=key,
        problem=problem,
        usable=key.usable_at(services.clock.now()),
        rotatable=key.purpose is KeyPurpose.API and key.scopes <= scopes_of(caller.role),
        last_used=services.metering.last_used(caller.account.id, [key.id]).get(key.id),
        creation_id=new_creation_id(),
        bounds=bounds,
        account_limits=services.limits.of_account(caller.account.id),
        currency=caller.account.currency,
        budget=typed.budget or BudgetForm(),
        limits=typed.limits or LimitsForm.of(bounds.limits),
    )
