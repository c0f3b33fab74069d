"""What is a fact cannot be changed, not even by SQL that goes past the program."""

from datetime import UTC, datetime

import pytest
from sqlalchemy import text

from app.accounts.service import Accounts
from app.billing.invoice_run import InvoiceRun
from app.clock import FrozenClock
from app.database import ConstraintViolated, Database
from app.period import Month
from app.pricing.service import Plans

PLAN = """
key = "monthly"
currency = "USD"
billing = "postpaid"
base_fee = "9.5"
[[price]]
model = "*"
meter = "requests"
scheme = "per_unit"
unit_price = "0"
"""


@pytest.fixture
def issued(database: Database) -> Database:
    """A database with a published plan and one issued invoice."""
    clock = FrozenClock(datetime(2026, 3, 1, tzinfo=UTC))
    plans = Plans(database, clock)
    plans.publish(PLAN)
    account = Accounts(database, clock).create_account("Frozen")
    plans.assign(account.id, "monthly")
    clock.move_to(datetime(2026, 4, 2, tzinfo=UTC))
    InvoiceRun(database, clock, issue_grace_s=3600).run(Month(2026, 3))
    return database


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE plan_versions SET document = '{}'",
        "DELETE FROM plan_versions",
        "UPDATE invoices SET total_nanos = 0, subtotal_nanos = 0",
        "UPDATE invoices SET status = 'draft', number = NULL, issued_at = NULL",
        "DELETE FROM invoices",
        "UPDATE invoice_lines SET amount_nanos = 0",
        "DELETE FROM invoice_lines",
    ],
)
def test_a_published_plan_and_an_issued_invoice_refuse_every_change(issued: Database, statement: str) -> None:
    with pytest.raises(ConstraintViolated), issued.transaction() as session:
        session.execute(text(statement))


def test_a_draft_may_be_recomputed(database: Database, issued: Database) -> None:
    clock = FrozenClock(datetime(2026, 4, 3, tzinfo=UTC))
    run = InvoiceRun(database, clock, issue_grace_s=3600)
    first, second = (run.run(Month(2026, 4)).outcomes[0].invoice for _ in range(2))
    assert first is not None
    assert first == second
