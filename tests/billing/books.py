"""An installation's books for tests: accounts on plans, usage at instants, and the run that invoices it."""

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from itertools import count

from app.accounts.account import Account
from app.accounts.store import insert_account
from app.billing.invoice_run import InvoiceRun
from app.billing.service import Invoices
from app.clock import FrozenClock
from app.database import Database
from app.ids import new_id
from app.metering.store import add_to_rollup, insert_events
from app.metering.usage_event import Outcome, UsageEvent
from app.pricing.service import Plans

GRACE_S = 3600

PAYG = """
key = "payg"
currency = "USD"
billing = "postpaid"
base_fee = "0"
[[price]]
model = "linear"
meter = "units"
scheme = "per_unit"
unit_price = "0.00001"
[[price]]
model = "vgg16"
meter = "units"
scheme = "graduated"
[[price.tier]]
up_to = 1000
unit_price = "0"
[[price.tier]]
unit_price = "0.002"
"""


def flat_plan(
    key: str, *, base_fee: str, unit_price: str = "0.01", currency: str = "USD", billing: str = "postpaid"
) -> str:
    """A plan file: a base fee, and one price for the units of every model."""
    return (
        f'key = "{key}"\ncurrency = "{currency}"\nbilling = "{billing}"\nbase_fee = "{base_fee}"\n'
        f'[[price]]\nmodel = "*"\nmeter = "units"\nscheme = "per_unit"\nunit_price = "{unit_price}"\n'
    )


def utc(text: str) -> datetime:
    """An instant written as `2026-03-01T00:00`, in UTC."""
    return datetime.fromisoformat(text).replace(tzinfo=UTC)


@dataclass
class Books:
    """The use cases on one database and one clock that stands still."""

    database: Database
    clock: FrozenClock
    numbers: "count[int]" = field(default_factory=lambda: count(1))

    @property
    def plans(self) -> Plans:
        return Plans(self.database, self.clock)

    @property
    def invoice_run(self) -> InvoiceRun:
        return InvoiceRun(self.database, self.clock, GRACE_S)

    @property
    def invoices(self) -> Invoices:
        return Invoices(self.database)

    def open_account(self, plan: str | None = None, *, zone: str = "UTC", anchor_day: int = 1) -> Account:
        """Open an account now, on a plan that is published."""
        account = Account(f"acct_{next(self.numbers):04d}", "Ada", "USD", zone, anchor_day, self.clock.now())
        with self.database.transaction() as session:
            insert_account(session, account)
        if plan is not None:
            self.plans.assign(account.id, plan)
        return account

    def use(
        self,
        account: Account,
        occurred_at: datetime,
        units: int,
        *,
        model: str = "linear",
        live: bool = True,
        outcome: Outcome = Outcome.SUCCEEDED,
    ) -> UsageEvent:
        """Record one call at an instant, pinned to the plan version that was in effect there."""
        plan = self.plans.in_effect(account.id, occurred_at)
        assert plan is not None
        event = UsageEvent(
            id=new_id("evt", occurred_at),
            account_id=account.id,
            key_id="key_1",
            live=live,
            model=model,
            version=1,
            plan_version_id=plan.id,
            occurred_at=occurred_at,
            outcome=outcome,
            delivered=True,
            units=units if outcome is Outcome.SUCCEEDED else 0,
            results=0,
            compute_us=1500,
            queue_us=10,
            input_bytes=100,
            output_bytes=10,
            batch_id=None,
            amount_nanos=None,
        )
        with self.database.transaction() as session:
            insert_events(session, [event], occurred_at + timedelta(milliseconds=5))
            add_to_rollup(session, [event])
        return event
