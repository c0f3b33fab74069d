"""A database with something in every table, and all that is in a database."""

from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import select

from app.accounts.service import Accounts
from app.accounts.tables import BudgetRow, RateLimitRow, UserRow
from app.charging.claim_store import complete_claims, insert_claims
from app.charging.lease_store import renew_lease
from app.charging.tables import (
    BudgetAlertRow,
    GateCounterRow,
    GatePositionRow,
    GateRow,
    HoldRow,
)
from app.clock import FrozenClock
from app.database import Base, Database
from app.ledger.tables import CreditGrantRow, JournalEntryRow, PostingRow
from app.members.tables import BrowserSessionRow, IdentityRow, MailedLinkRow, MembershipRow
from app.metering.store import extend_device_interval, insert_batches
from app.metering.usage_event import Outcome
from app.outbox.tables import OutgoingMailRow
from app.period import Month
from app.schema import import_tables
from tests.billing.books import PAYG, Books, flat_plan, utc
from tests.builders import make_answer, make_batch, make_claim, make_interval

LARGEST = 2**63 - 1
ODD = datetime(2026, 2, 28, 23, 59, 59, 999_999, tzinfo=UTC)
AWKWARD = 'Łódź 東京 \U0001f9ee "quoted" \\ back\nnew\ttab \u2028 \ufeff'
BYTES = bytes(range(256))


def contents(database: Database) -> dict[str, list[tuple[Any, ...]]]:
    """Return every row of every table, leases of processes left out."""
    tables = import_tables().metadata.sorted_tables
    with database.reading() as session:
        return {
            table.name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for table in tables
            if table.name != "process_leases"
        }


def fill(database: Database) -> None:
    """Put at least one row into every table, extreme values among them; January's invoice is issued."""
    clock = FrozenClock(utc("2026-01-01T00:00"))
    books = Books(database, clock)
    books.plans.publish(PAYG)
    books.plans.publish(flat_plan("fee", base_fee="30"))
    account = books.open_account("payg", zone="Asia/Kathmandu")
    Accounts(database, clock).create_key(account.id, name="form", creation_id="form-1")
    books.use(account, utc("2026-01-20T08:15"), 12_345)
    books.use(account, ODD, 2**61)
    books.use(account, ODD + timedelta(days=40), 0, outcome=Outcome.FAILED)
    clock.move_to(utc("2026-02-10T12:00"))
    assert books.invoice_run.run(Month(2026, 1)).outcomes[0].invoice
    _add_calls(database)
    _add(database, UserRow(id="usr_1", email="ada@example.test", password_hash=None, operator=True, created_at=ODD))
    _add_people(database, account.id)
    _add_gate(database, account.id)
    _add_ledger(database, account.id)


def _add(database: Database, *rows: Base) -> None:
    with database.transaction() as session:
        session.add_all(rows)


def _add_calls(database: Database) -> None:
    answered, running = make_claim(key="order-1"), make_claim(key="order-2")
    with database.transaction() as session:
        insert_claims(session, [answered, running], lease_id="lease_1", now=ODD)
        complete_claims(session, [(answered, make_answer(body=BYTES))], lease_id="lease_1", now=ODD)
        renew_lease(session, "lease_1", host="host", pid=1, started_at=ODD)
        insert_batches(session, [make_batch()])
        extend_device_interval(session, make_interval())


def _add_people(database: Database, account_id: str) -> None:
    _add(
        database,
        MembershipRow(account_id=account_id, user_id="usr_1", role="owner", created_at=ODD),
        IdentityRow(issuer="https://id.example.test", subject="1", user_id="usr_1", created_at=ODD),
        MailedLinkRow(
            id="lnk_1", purpose="sign_up", digest=BYTES[:32], email="bo@example.test", account_name=AWKWARD,
            language="en", zone="UTC", created_at=ODD, expires_at=ODD,
        ),
        BrowserSessionRow(
            id="ses_1", user_id="usr_1", digest=BYTES[32:64], created_at=ODD, last_seen_at=ODD, expires_at=ODD,
            agent="", rotation_due=False,
        ),
        OutgoingMailRow(
            id="mai_1", recipient="bo@example.test", subject=AWKWARD, text=AWKWARD, html="", created_at=ODD,
            attempts=0, next_attempt_at=ODD,
        ),
    )  # fmt: skip


def _add_gate(database: Database, account_id: str) -> None:
    window: dict[str, Any] = {"account_id": account_id, "measure": "money", "window": "day", "limit_value": 10**18}
    counts = dict.fromkeys(("requests", "units", "results"), 0)
    _add(
        database,
        BudgetRow(id="bud_1", subject_id=account_id, hard=True, thresholds="80 100", created_at=ODD, **window),
        RateLimitRow(subject_id="model:linear", concurrency_max=1),
        GateRow(account_id=account_id, opened_at=ODD),
        GatePositionRow(
            account_id=account_id, period_start=ODD, plan_version_id="plv_1", model="linear",
            **{f"{state}_{name}": LARGEST for state in ("settled", "held") for name in counts},
        ),
        GateCounterRow(account_id=account_id, budget_id="bud_1", window_start=ODD, settled=LARGEST, held=0),
        HoldRow(
            event_id="evt_1", account_id=account_id, key_id="key_1", live=False, lease_id="lease_1",
            plan_version_id="plv_1", model="linear", occurred_at=ODD, amount_nanos=LARGEST, budget_ids="bud_1",
            **counts, **{f"position_{name}": 0 for name in counts},
        ),
        BudgetAlertRow(
            id="bal_1", budget_id="bud_1", window_start=ODD, percent=80, used=1, created_at=ODD, **window
        ),
    )  # fmt: skip


def _add_ledger(database: Database, account_id: str) -> None:
    with database.transaction() as session:
        session.add(
            CreditGrantRow(
                id="cg_1", account_id=account_id, kind="paid", amount_nanos=10**18, remaining_nanos=7,
                refunded_nanos=0, expired_nanos=0, priority=50, note=AWKWARD, created_at=ODD,
            )
        )  # fmt: skip
        session.add(
            JournalEntryRow(
                id="je_1", account_id=account_id, currency="USD", source_kind="grant", source_id="cg_1",
                occurred_at=ODD, created_at=ODD,
            )
        )  # fmt: skip
        session.flush()
        session.add(PostingRow(entry_id="je_1", ledger_account="cash", grant_id="", amount_nanos=-LARGEST - 1))
