"""An account at the gate: prepaid at a tenth of a dollar a unit, with calls that ask, run and are recorded."""

from dataclasses import dataclass
from datetime import datetime

from app.accounts.account import Account
from app.accounts.service import Accounts
from app.charging.budgets import Budgets
from app.charging.credits import Credits
from app.charging.hold import HoldRequest
from app.charging.hold_store import find_holds
from app.charging.recorder import Record
from app.charging.tables import GateCounterRow, GatePositionRow, HoldRow
from app.clock import Clock
from app.database import Database
from app.ids import new_id
from app.metering.meter import Quantities
from app.pricing.plan import PlanVersion
from app.pricing.service import Plans
from tests.builders import make_event
from tests.charging.serving_process import rows_of

PRICE_NANOS = 10**8
PLAN = """
key = "{key}"
currency = "USD"
billing = "{billing}"
base_fee = "0"
[[price]]
model = "linear"
meter = "units"
scheme = "per_unit"
unit_price = "0.1"
[[price]]
model = "tiered"
meter = "units"
scheme = "graduated"
[[price.tier]]
up_to = 10
unit_price = "1"
[[price.tier]]
unit_price = "0.5"
"""


@dataclass(frozen=True)
class GatedAccount:
    """`key_id` is a live key of the account."""

    database: Database
    clock: Clock
    account: Account
    version: PlanVersion
    key_id: str

    @property
    def credits(self) -> Credits:
        return Credits(self.database, self.clock)

    @property
    def budgets(self) -> Budgets:
        return Budgets(self.database, self.clock)

    def request(
        self, units: int = 1, *, model: str = "linear", live: bool = True, at: datetime | None = None
    ) -> HoldRequest:
        occurred_at = at or self.clock.now()
        return HoldRequest(
            event_id=new_id("evt", occurred_at),
            account_id=self.account.id,
            key_id=self.key_id,
            live=live,
            plan_version=self.version,
            model=model,
            occurred_at=occurred_at,
            most=Quantities(requests=1, units=units),
        )

    def record(self, request: HoldRequest) -> Record:
        """Return the record of a call that used all that it asked for."""
        event = make_event(
            id=request.event_id,
            account_id=request.account_id,
            key_id=request.key_id,
            live=request.live,
            model=request.model,
            plan_version_id=request.plan_version.id,
            occurred_at=request.occurred_at,
            units=request.most.units,
            amount_nanos=None,
        )
        return Record(event, hold=request)

    def held(self, request: HoldRequest) -> bool:
        with self.database.reading() as session:
            return request.event_id in find_holds(session, [request.event_id])

    def holds(self) -> int:
        return rows_of(self.database, HoldRow)


def open_gated_account(database: Database, clock: Clock, *, billing: str = "prepaid") -> GatedAccount:
    accounts, plans = Accounts(database, clock), Plans(database, clock)
    account = accounts.create_account("Acme")
    version = plans.publish(PLAN.format(key=billing, billing=billing))
    plans.assign(account.id, billing)
    key = accounts.create_key(account.id).key
    return GatedAccount(database, clock, accounts.get_account(account.id), version, key.id)


def counts_agree(database: Database) -> bool:
    """Tell whether no gate counts anything as held: what is left after every call has ended."""
    with database.reading() as session:
        held = [row.held for row in session.query(GateCounterRow)]
        held += [row.held_requests + row.held_units + row.held_results for row in session.query(GatePositionRow)]
    return not any(held)
