"""Nouns with sensible defaults: a test names only what it is about."""

from datetime import UTC, datetime, timedelta
from typing import Any

from app.accounts.account import Account
from app.accounts.store import insert_account
from app.charging.claim import Claim, StoredAnswer
from app.database import Database
from app.ids import new_id
from app.metering.meter import Quantities
from app.metering.store import add_to_rollup, insert_events
from app.metering.usage_event import BatchRecord, DeviceInterval, Outcome, UsageEvent

NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)  # where the fixture `clock` stands
ACCOUNT = "acct_1"


def make_account(
    *,
    id: str = ACCOUNT,  # noqa: A002 - the noun's own field
    currency: str = "USD",
    zone: str = "UTC",
    anchor_day: int = 1,
    created_at: datetime = NOON,
) -> Account:
    return Account(id, "Ada", currency, zone, anchor_day, created_at)


def make_event(
    *,
    occurred_at: datetime = NOON,
    outcome: Outcome = Outcome.SUCCEEDED,
    units: int | None = None,
    amount_nanos: int | None = None,
    **fields: Any,
) -> UsageEvent:
    """An event whose id is made at its instant; one unit where it succeeded."""
    defaults: dict[str, Any] = {
        "id": new_id("evt", occurred_at),
        "account_id": ACCOUNT,
        "key_id": "key_1",
        "live": True,
        "model": "linear",
        "version": 1,
        "plan_version_id": "plv_1",
        "delivered": True,
        "results": 0,
        "compute_us": 1500,
        "queue_us": 20,
        "input_bytes": 300,
        "output_bytes": 40,
        "batch_id": None,
    }
    units = int(outcome is Outcome.SUCCEEDED) if units is None else units
    values = defaults | fields | {"units": units, "amount_nanos": amount_nanos}
    return UsageEvent(occurred_at=occurred_at, outcome=outcome, **values)


def make_claim(
    *,
    key: str = "order-1",
    event_id: str | None = None,
    request: str = "one",
    account_id: str = ACCOUNT,
) -> Claim:
    """A claim of a fresh event; `request` stands for the body whose digest tells requests apart."""
    return Claim(account_id, key, request.encode().ljust(32, b"."), event_id or new_id("evt", NOON))


def make_answer(*, body: bytes = b'{"id":"evt_1"}', status_code: int = 200) -> StoredAnswer:
    return StoredAnswer(status_code, "application/json", body)


def make_batch(*, id: str | None = None, started_at: datetime = NOON, items: int = 3) -> BatchRecord:  # noqa: A002
    return BatchRecord(
        id=id or new_id("bat", started_at),
        model="linear",
        version=1,
        device="cpu",
        engine="inline",
        started_at=started_at,
        ended_at=started_at + timedelta(milliseconds=2),
        compute_us=1800,
        calls=2,
        items=items,
        bucket=4,
        items_failed=0,
        items_cancelled=0,
    )


def make_interval(*, id: str = "dev_1", lasting: timedelta = timedelta(seconds=5)) -> DeviceInterval:  # noqa: A002
    return DeviceInterval(id, "cpu", NOON, NOON + lasting)


def make_quantities(*, units: int = 0, requests: int = 0) -> Quantities:
    return Quantities(requests=requests, units=units)


def open_account(database: Database, account: Account | None = None) -> Account:
    """Put an account into the database."""
    account = account or make_account()
    with database.transaction() as session:
        insert_account(session, account)
    return account


def record_usage(database: Database, *events: UsageEvent) -> None:
    """Put events and their rollup into the database, as the recorder does."""
    with database.transaction() as session:
        insert_events(session, events, NOON)
        add_to_rollup(session, events)
