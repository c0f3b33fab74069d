"""/app/balance: what the account has in advance, the grants that it comes from, and what came and went."""

from collections.abc import Iterator
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Query, Request
from starlette.responses import Response, StreamingResponse

from app.bootstrap import Services
from app.charging.credit_balance import Balance
from app.ledger.credit_csv import credit_csv
from app.ledger.credit_grant import CreditGrant
from app.ledger.credit_history import CreditMovement
from app.portal.frame.credit_room import has_credit, is_prepaid
from app.portal.frame.csv_download import CSV_TYPE, saved_as
from app.portal.frame.page_route import PageRoute
from app.portal.frame.rendering import render
from app.portal.frame.visitor import BillingReader, ServicesDep

router = APIRouter(route_class=PageRoute, include_in_schema=False)
MOVEMENTS_ON_A_PAGE = 50
_GRANTS_MAX = 100
_AT_ONCE = 500
_LOW_PERCENT = 10
Before = Annotated[str, Query(max_length=80)]


@router.get("/app/balance")
def show_balance(request: Request, caller: BillingReader, services: ServicesDep, before: Before = "") -> Response:
    """Show the balance and its history, the newest first; before any credit, what credit is."""
    account_id, now = caller.account.id, services.clock.now()
    grants = services.credits.grants(account_id, limit=_GRANTS_MAX)
    balance = services.credits.balance(account_id)
    prepaid = is_prepaid(services, account_id)
    found = services.credits.history(account_id, before or None, MOVEMENTS_ON_A_PAGE + 1)
    movements = found[:MOVEMENTS_ON_A_PAGE]
    return render(
        request,
        "pages/balance.html",
        balance=balance,
        grants=grants,
        movements=movements,
        before=before,
        next_before=movements[-1].id if len(found) > MOVEMENTS_ON_A_PAGE else None,
        prepaid=prepaid,
        known=has_credit(services, account_id),
        low=prepaid and is_low(balance, grants, now),
        now=now,
    )


@router.get("/app/balance.csv")
def save_history(caller: BillingReader, services: ServicesDep) -> Response:
    """Stream the whole history."""
    lines = credit_csv(_every_movement(services, caller.account.id), caller.account.currency)
    return StreamingResponse(lines, media_type=CSV_TYPE, headers=saved_as("balance.csv"))


def is_low(balance: Balance, grants: list[CreditGrant], now: datetime) -> bool:
    """Tell whether less than a tenth is left of the credit that has not expired."""
    granted_nanos = sum(grant.amount_nanos for grant in grants if grant.valid_at(now) and grant.remaining_nanos)
    return balance.available_nanos * 100 <= granted_nanos * _LOW_PERCENT


def _every_movement(services: Services, account_id: str) -> Iterator[CreditMovement]:
    before: str | None = None
    while found := services.credits.history(account_id, before, _AT_ONCE):
        yield from found
        before = found[-1].id
