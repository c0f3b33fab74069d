"""How credit looks on the wire: exact amounts, with at least the decimals of the currency."""

from app.api.credit_fields import BalanceFields, GrantFields, MovementFields, RefundFields
from app.api.wire import instant
from app.charging.credit_balance import Balance
from app.charging.credits import Refund
from app.ledger.credit_grant import CreditGrant
from app.ledger.credit_history import CreditMovement
from app.money import format_money


def balance_body(balance: Balance) -> BalanceFields:
    """Return what an account has in advance."""
    return {
        "currency": balance.currency,
        "available": format_money(balance.available_nanos, balance.currency),
        "held": format_money(balance.held_nanos, balance.currency),
        "total": format_money(balance.total_nanos, balance.currency),
        "as_of": instant(balance.as_of),
    }


def grant_body(grant: CreditGrant, currency: str) -> GrantFields:
    """Return a grant and what became of it."""
    return {
        "id": grant.id,
        "kind": grant.kind,
        "currency": currency,
        "amount": format_money(grant.amount_nanos, currency),
        "remaining": format_money(grant.remaining_nanos, currency),
        "used": format_money(grant.drawn_nanos, currency),
        "refunded": format_money(grant.refunded_nanos, currency),
        "expired": format_money(grant.expired_nanos, currency),
        "priority": grant.priority,
        "expires_at": instant(grant.expires_at),
        "note": grant.note,
        "created_at": instant(grant.created_at),
    }


def refund_body(refund: Refund) -> RefundFields:
    """Return a refund."""
    return {
        "id": refund.id,
        "grant": refund.grant_id,
        "currency": refund.currency,
        "amount": format_money(refund.amount_nanos, refund.currency),
        "refunded_at": instant(refund.refunded_at),
    }


def movement_body(movement: CreditMovement, currency: str) -> MovementFields:
    """Return what came or went, and the balance after it; calls are summed by periods of a quarter of an hour."""
    period = movement.period
    return {
        "id": movement.id,
        "kind": movement.kind,
        "grant": movement.grant_id,
        "currency": currency,
        "amount": format_money(movement.amount_nanos, currency),
        "balance": format_money(movement.balance_nanos, currency),
        "occurred_at": instant(movement.occurred_at),
        "period_start": instant(period.start) if period else None,
        "period_end": instant(period.end) if period else None,
    }
