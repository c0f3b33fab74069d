"""Six weeks in the life of an account, put into the books: charts, invoices and earnings have something to show."""

from collections.abc import Iterator
from datetime import UTC, datetime, time, timedelta
from itertools import product

from app.accounts.account import Account
from app.bootstrap import Books, open_books
from app.clock import FrozenClock
from app.ids import new_id
from app.metering.store import add_to_rollup, extend_device_interval, insert_batches, insert_events
from app.metering.usage_event import BatchRecord, DeviceInterval, Outcome, UsageEvent
from app.period import Month
from app.pricing.open_account import open_account
from tests.architecture.source_tree import ROOT
from tests.builders import make_event

DAYS = 45
_HOURS = range(8, 18)  # in which the device is held, and calls come
_PRICES_NANOS = {"linear": 10_000, "vgg16-digits": 500_000}  # of one unit, by plans/payg.toml
_COMPUTE_US = {"linear": 30, "vgg16-digits": 9_000}  # of one unit
_UNITS_A_CALL = {"linear": 900, "vgg16-digits": 250}


def account_with_past(books: Books) -> Account:
    """Open an account that began six weeks ago and was used ever since; return it with last month's invoice issued."""
    now = books.clock.now()
    beginning = FrozenClock(now - timedelta(days=DAYS))
    past = open_books(books.settings, beginning)
    plan = past.plans.publish((ROOT / "plans" / "payg.toml").read_text())
    account = open_account(
        past.database, beginning, "Acme", currency="USD", zone="UTC", anchor_day=1, plan_key=plan.plan_key
    )
    keys = [past.accounts.create_key(account.id, name=name).key.id for name in ("Production", "Nightly reports")]
    events = [event for day in _days(now) for event in _calls_of(day, account.id, keys, plan.id)]
    with past.database.transaction() as session:
        insert_events(session, events, now)
        add_to_rollup(session, events)
        insert_batches(session, [_batch_of(event) for event in events if event.batch_id])
        for day in _days(now):
            extend_device_interval(session, _held_on(day))
    past.database.dispose()
    issued = now - timedelta(hours=2)  # in a month's first hour the last one is not issued yet
    books.invoice_run.run(Month(issued.year, issued.month).plus(-1), account.id)
    return account


def _days(now: datetime) -> list[datetime]:
    """Return the midnights of the whole days since the account began."""
    midnight = datetime.combine(now.date(), time(), UTC)
    return [midnight - timedelta(days=ago) for ago in range(DAYS - 1, 0, -1)]


def _calls_of(day: datetime, account_id: str, keys: list[str], plan_version_id: str) -> Iterator[UsageEvent]:
    """Yield a day's calls: many on workdays, a few at weekends, one in fifty fails."""
    busy = 75 if day.weekday() < 5 else 15
    for minute, (place, model) in product(range(0, 60 * len(_HOURS), 20), enumerate(_PRICES_NANOS)):
        chance = (day.toordinal() * 37 + minute * 23 + place * 61 + minute // 60 * 11) % 100
        if chance >= busy - day.toordinal() % 7 * 3:
            continue
        at = day + timedelta(hours=_HOURS.start, minutes=minute)
        failed = chance % 50 == 7
        units = 0 if failed else _UNITS_A_CALL[model] * (40 + chance) // 100
        yield make_event(
            occurred_at=at,
            account_id=account_id,
            key_id=keys[place],
            plan_version_id=plan_version_id,
            model=model,
            outcome=Outcome.FAILED if failed else Outcome.SUCCEEDED,
            units=units,
            results=units,
            compute_us=_COMPUTE_US[model] * units,
            amount_nanos=None if failed else units * _PRICES_NANOS[model],
            batch_id=new_id("bat", at),
        )


def _batch_of(event: UsageEvent) -> BatchRecord:
    return BatchRecord(
        id=str(event.batch_id),
        model=event.model,
        version=event.version,
        device="cpu",
        engine="inline",
        started_at=event.occurred_at,
        ended_at=event.occurred_at + timedelta(microseconds=event.compute_us),
        compute_us=event.compute_us,
        calls=1,
        items=max(event.units, 1),
        bucket=max(event.units, 1),
        items_failed=0,
        items_cancelled=0,
    )


def _held_on(day: datetime) -> DeviceInterval:
    start, end = (day + timedelta(hours=hour) for hour in (_HOURS.start, _HOURS.stop))
    return DeviceInterval(new_id("dev", start), "cpu", start, end)
