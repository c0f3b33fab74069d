"""Accounts that pay for `linear` at one price: afterwards, or from credit that was bought before."""

from app.accounts.account import Scope
from app.bootstrap import Books
from app.pricing.open_account import open_account

PREDICT_PATH = "/v1/models/linear/predict"
UNIT_NANOS = 10_000
_PLAN = """
key = "{billing}"
currency = "USD"
billing = "{billing}"
base_fee = "0"
[[price]]
model = "linear"
meter = "units"
scheme = "per_unit"
unit_price = "0.00001"
"""


def open_postpaid(books: Books) -> str:
    """Open an account that is invoiced afterwards and return the secret of its key: its calls hold nothing."""
    _, secret = _open(books, "postpaid")
    return secret


def open_prepaid(books: Books, credit_nanos: int) -> tuple[str, str]:
    """Open an account with that much credit; return its id and the secret of its key: each call holds its price."""
    account_id, secret = _open(books, "prepaid")
    books.credits.grant(account_id, amount_nanos=credit_nanos)
    return account_id, secret


def _open(books: Books, billing: str) -> tuple[str, str]:
    plan_key = books.plans.publish(_PLAN.format(billing=billing)).plan_key
    account = open_account(
        books.database, books.clock, f"Bench {billing}", currency="USD", zone="UTC", anchor_day=1, plan_key=plan_key
    )
    scopes = frozenset({Scope.PREDICT, Scope.USAGE_READ, Scope.BILLING_READ})
    return account.id, books.accounts.create_key(account.id, scopes=scopes).secret
