"""What each use case leaves in the audit log: one entry a change, none for a repeat, never a secret."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta

import pytest
from sqlalchemy import text

from app.accounts.account import Scope
from app.accounts.service import Accounts, EmailTaken
from app.audit_log.actor import INSTALLATION, Actor, ActorKind
from app.audit_log.entry import AuditEntry
from app.audit_log.service import AuditLog
from app.billing.invoice_run import InvoiceRun
from app.clock import FrozenClock
from app.database import Database
from app.errors import AppError, Conflict, Invalid, NotFound
from app.period import Month
from app.pricing.open_account import open_account
from app.pricing.service import PlanNotFound, Plans
from tests.members.people import People

ADA = Actor(ActorKind.USER, "user_ada", "192.0.2.7")
PASSWORD = "correct horse battery staple"
PLAN = """
key = "monthly"
currency = "USD"
billing = "postpaid"
base_fee = "{base_fee}"
[[price]]
model = "*"
meter = "requests"
scheme = "per_unit"
unit_price = "0"
"""


class Trail:
    """The use cases on one database, and what they have written down so far."""

    def __init__(self, database: Database, clock: FrozenClock) -> None:
        self.database = database
        self.clock = clock
        self.accounts = Accounts(database, clock)
        self.passwords = People(database, clock, default_plan=None).passwords
        self.plans = Plans(database, clock)
        self.invoice_run = InvoiceRun(database, clock, issue_grace_s=3600)
        self._log = AuditLog(database)

    def open_account(self, plan_key: str | None = None) -> str:
        account = open_account(
            self.database,
            self.clock,
            "Ada",
            currency="USD",
            zone="UTC",
            anchor_day=1,
            plan_key=plan_key,
            by=ADA,
        )
        return account.id

    def entries(self) -> list[AuditEntry]:
        """Return all entries in the order of their writing."""
        return self._log.list(limit=1000)[::-1]

    def since(self, change: Callable[[], object]) -> list[AuditEntry]:
        """Return what a change has left."""
        before = len(self.entries())
        change()
        return self.entries()[before:]


@pytest.fixture
def trail(database: Database, clock: FrozenClock) -> Trail:
    trail = Trail(database, clock)
    trail.plans.publish(PLAN.format(base_fee="9.5"))
    return trail


def facts(entries: list[AuditEntry]) -> list[tuple[str, str, str | None]]:
    assert all(entry.actor == ADA for entry in entries)
    return [(entry.action, entry.target, entry.account_id) for entry in entries]


def test_opening_an_account_leaves_the_account_and_its_plan(trail: Trail) -> None:
    entries = trail.since(lambda: trail.open_account("monthly"))
    account_id = entries[0].target
    assert facts(entries) == [
        ("account.created", account_id, account_id),
        ("plan.assigned", account_id, account_id),
    ]
    assert entries[0].details == {"name": "Ada", "currency": "USD", "zone": "UTC"}
    assert entries[1].details == {"plan": "monthly", "before": "", "starts_at": trail.clock.now().isoformat()}


def test_a_new_name_of_an_account_is_told_and_the_same_name_is_not(trail: Trail) -> None:
    account_id = trail.open_account()
    (entry,) = trail.since(lambda: trail.accounts.rename(account_id, "Ada & Söhne", by=ADA))
    assert facts([entry]) == [("account.renamed", account_id, account_id)]
    assert entry.details == {"before": "Ada", "after": "Ada & Söhne"}
    assert trail.since(lambda: trail.accounts.rename(account_id, "Ada & Söhne", by=ADA)) == []


def test_the_life_of_a_key(trail: Trail) -> None:
    account_id = trail.open_account()
    new = trail.accounts.create_key(account_id, name="laptop", live=False, models=frozenset({"linear"}), by=ADA)
    rotated = trail.accounts.rotate_key(account_id, new.key.id, grace=timedelta(hours=1), by=ADA)
    trail.accounts.revoke_key(account_id, rotated.key.id, by=ADA)
    created, moved, revoked = trail.entries()[-3:]
    assert facts([created, moved, revoked]) == [
        ("key.created", new.key.id, account_id),
        ("key.rotated", new.key.id, account_id),
        ("key.revoked", rotated.key.id, account_id),
    ]
    scopes = " ".join(sorted(new.key.scopes))
    assert created.details == {"name": "laptop", "mode": "test", "scopes": scopes, "models": "linear"}
    ends_at = (trail.clock.now() + timedelta(hours=1)).isoformat()
    assert moved.details == {"name": "laptop", "successor": rotated.key.id, "ends_at": ends_at}
    assert revoked.details == {"name": "laptop"}


def test_users_and_their_passwords(trail: Trail) -> None:
    user = trail.accounts.create_user("ada@example.test", PASSWORD, operator=True, by=ADA)
    trail.passwords.assign("ada@example.test", PASSWORD, by=ADA)
    created, changed = trail.entries()[-2:]
    assert facts([created, changed]) == [("user.created", user.id, None), ("password.set", user.id, None)]
    assert (created.details, changed.details) == ({"operator": "yes"}, {})


def test_a_plan_is_published_and_an_account_moves_to_it(trail: Trail) -> None:
    account_id = trail.open_account("monthly")
    version = trail.plans.publish(PLAN.format(base_fee="1").replace("monthly", "yearly"), by=ADA)
    trail.plans.assign(account_id, "yearly", by=ADA)
    published, assigned = trail.entries()[-2:]
    assert facts([published, assigned]) == [
        ("plan.published", version.id, None),
        ("plan.assigned", account_id, account_id),
    ]
    assert published.details == {"plan": "yearly", "version": "1"}
    assert (assigned.details["before"], assigned.details["plan"]) == ("monthly", "yearly")


def test_a_person_who_runs_a_month_is_named_and_so_is_each_invoice(trail: Trail) -> None:
    account_id = trail.open_account("monthly")
    trail.clock.move_to(datetime(2026, 4, 2, tzinfo=UTC))
    (outcome,) = trail.invoice_run.run(Month(2026, 3), account_id, by=ADA).outcomes
    run, issued = trail.entries()[-2:]
    assert outcome.invoice
    assert facts([run, issued]) == [
        ("invoices.run", "2026-03", account_id),
        ("invoice.issued", outcome.invoice.id, account_id),
    ]
    assert issued.details == {"number": outcome.invoice.number}
    again = trail.since(lambda: trail.invoice_run.run(Month(2026, 3), account_id, by=ADA))
    assert facts(again) == [("invoices.run", "2026-03", account_id)]


def test_the_installations_own_runs_leave_the_invoices_they_issue_and_no_more(trail: Trail) -> None:
    trail.open_account("monthly")
    assert trail.since(lambda: trail.invoice_run.run(Month(2026, 3))) == []  # a draft
    trail.clock.move_to(datetime(2026, 4, 2, tzinfo=UTC))
    (issued,) = trail.since(lambda: trail.invoice_run.run(Month(2026, 3)))
    assert (issued.action, issued.actor) == ("invoice.issued", INSTALLATION)
    assert trail.since(lambda: trail.invoice_run.run(Month(2026, 3))) == []


def test_a_repeat_that_changes_nothing_leaves_nothing(trail: Trail) -> None:
    account_id = trail.open_account("monthly")
    key_id = trail.accounts.create_key(account_id).key.id
    trail.accounts.revoke_key(account_id, key_id)
    repeats: list[Callable[[], object]] = [
        lambda: trail.accounts.revoke_key(account_id, key_id, by=ADA),
        lambda: trail.plans.publish(PLAN.format(base_fee="9.50"), by=ADA),
        lambda: trail.plans.assign(account_id, "monthly", by=ADA),
    ]
    for repeat in repeats:
        assert trail.since(repeat) == []


def test_what_is_refused_leaves_nothing(trail: Trail) -> None:
    account_id = trail.open_account("monthly")
    key_id = trail.accounts.create_key(account_id).key.id
    trail.accounts.revoke_key(account_id, key_id)
    trail.accounts.create_user("ada@example.test", PASSWORD, operator=False)
    refused: list[tuple[type[AppError], Callable[[], object]]] = [
        (PlanNotFound, lambda: trail.open_account("nope")),
        (NotFound, lambda: trail.accounts.create_key("acct_none", by=ADA)),
        (Invalid, lambda: trail.accounts.create_key(account_id, scopes=frozenset({Scope.ADMIN}), by=ADA)),
        (NotFound, lambda: trail.accounts.revoke_key(account_id, "key_none", by=ADA)),
        (Conflict, lambda: trail.accounts.rotate_key(account_id, key_id, grace=timedelta(), by=ADA)),
        (EmailTaken, lambda: trail.accounts.create_user("ada@example.test", PASSWORD, operator=True, by=ADA)),
        (NotFound, lambda: trail.passwords.assign("bob@example.test", PASSWORD, by=ADA)),
        (NotFound, lambda: trail.invoice_run.run(Month(2026, 3), "acct_none", by=ADA)),
    ]
    before = trail.entries()
    accounts = trail.accounts.list_accounts()
    for error, change in refused:
        with pytest.raises(error):
            change()
    assert trail.entries() == before
    assert trail.accounts.list_accounts() == accounts  # the one whose plan is unknown was not half opened


def test_no_entry_holds_a_secret_a_hash_or_a_password(trail: Trail) -> None:
    account_id = trail.open_account()
    new = trail.accounts.create_key(account_id, by=ADA)
    rotated = trail.accounts.rotate_key(account_id, new.key.id, grace=timedelta(), by=ADA)
    trail.accounts.create_user("ada@example.test", PASSWORD, operator=False, by=ADA)
    trail.passwords.assign("ada@example.test", PASSWORD, by=ADA)
    with trail.database.reading() as session:
        (hashed,) = session.scalars(text("SELECT password_hash FROM users"))
        digests = list(session.scalars(text("SELECT digest FROM api_keys")))
    written = "\n".join(str(entry) for entry in trail.entries())
    hidden = [new.secret, rotated.secret, new.key.hint, PASSWORD, hashed, *(bytes(each).hex() for each in digests)]
    assert [each for each in hidden if each in written] == []
