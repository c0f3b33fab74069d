"""/v1/admin/accounts/…/credits: operators give credit and pay it back. Each is done once for an Idempotency-Key."""

from fastapi import APIRouter, status

from app.api.claimed_route import ClaimedRoute, IdempotencyKey, creation_id_of
from app.api.credit_fields import GrantFields, RefundFields
from app.api.dependencies import GrantCursor, Limit, Operator, ServicesDep
from app.api.described_problems import GRANT_NOT_REFUNDABLE, REFUND_TOO_LARGE, problems
from app.api.fields import Instant, Name, StrictBody
from app.api.wire import Page, page
from app.api.wire_credit import grant_body, refund_body
from app.ledger.credit_grant import DEFAULT_PRIORITY, GrantKind
from app.money import parse_nanos

router = APIRouter(prefix="/v1/admin/accounts/{account_id}/credits", tags=["admin"], route_class=ClaimedRoute)


class NewCreditBody(StrictBody):
    """Credit in the account's currency; of several grants the lowest priority is used first.

    The customer reads the note.
    """

    amount: str
    kind: GrantKind = GrantKind.PAID
    priority: int = DEFAULT_PRIORITY
    expires_at: Instant | None = None
    note: Name = ""


class RefundBody(StrictBody):
    """How much is paid back; without an amount, all that no running call may need."""

    amount: str | None = None


@router.post("", status_code=status.HTTP_201_CREATED)
def grant_credit(
    account_id: str,
    body: NewCreditBody,
    operator: Operator,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> GrantFields:
    """Give an account credit."""
    grant = services.credits.grant(
        account_id,
        amount_nanos=parse_nanos(body.amount),
        kind=body.kind,
        priority=body.priority,
        expires_at=body.expires_at,
        note=body.note,
        creation_id=creation_id_of(idempotency_key, operator.id),
        by=operator,
    )
    return grant_body(grant, services.accounts.get_account(account_id).currency)


@router.get("")
def list_credits(
    account_id: str, _operator: Operator, services: ServicesDep, cursor: GrantCursor = "", limit: Limit = 50
) -> Page[GrantFields]:
    """List an account's grants of credit, newest first."""
    account = services.accounts.get_account(account_id)
    grants = services.credits.grants(account.id, cursor or None, limit + 1)
    return page(grants, limit, lambda each: grant_body(each, account.currency), lambda each: each.id)


@router.post(
    "/{grant_id}/refund",
    status_code=status.HTTP_201_CREATED,
    responses=problems(GRANT_NOT_REFUNDABLE, REFUND_TOO_LARGE),
)
def refund_credit(
    account_id: str,
    grant_id: str,
    body: RefundBody,
    operator: Operator,
    services: ServicesDep,
    idempotency_key: IdempotencyKey = None,
) -> RefundFields:
    """Pay credit back that was paid for and not used. The money itself moves outside of Faremeter."""
    amount_nanos = None if body.amount is None else parse_nanos(body.amount)
    refund = services.credits.refund(
        account_id, grant_id, amount_nanos, creation_id=creation_id_of(idempotency_key, operator.id), by=operator
    )
    return refund_body(refund)
