"""Each check passes on books that agree, and tells what a hand in the database has done to them."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from sqlalchemy import text
from sqlalchemy.orm import Session

from app.clock import FrozenClock
from app.database import Database
from app.self_audit.checks import CHECKS
from app.self_audit.report import AuditReport, CheckResult
from app.self_audit.service import SelfAudit, run_check
from tests.self_audit.busy_books import IN_MARCH

ONE_EVENT = "(SELECT min(id) FROM usage_events WHERE outcome = 'succeeded' AND live AND model = 'linear')"
ONE_CLAIM = "(SELECT min(event_id) FROM claims)"
FAILED = "(SELECT min(id) FROM usage_events WHERE outcome = 'failed')"
A_PAID_ENTRY = "(SELECT min(entry_id) FROM postings WHERE ledger_account = 'cash')"
OF_UNITS = "(SELECT id FROM budgets WHERE measure = 'units')"
OF_ACCOUNTS = "(SELECT id FROM budgets WHERE measure = 'money' AND key_id IS NULL AND \"window\" <> 'day')"
POSTPAID = "(SELECT max(account_id) FROM invoices)"
# (the check that must notice, what was done to the books, a part of what the check says)
CHANGES = [
    ("rollup", "UPDATE usage_rollup SET units = units + 1 WHERE model = 'linear' AND NOT live", "units 7"),
    ("rollup", "UPDATE usage_rollup SET queue_us = queue_us - 1 WHERE outcome = 'failed'", "queue_us 20"),
    ("rollup", "DELETE FROM usage_rollup WHERE NOT live", "calls 0"),
    ("rollup", f"DELETE FROM usage_events WHERE id = {ONE_EVENT}", "linear v1"),
    ("rollup", f"UPDATE usage_events SET key_id = 'key_2' WHERE id = {ONE_EVENT}", "key_2"),
    ("rollup", f"UPDATE usage_events SET model = 'tiered' WHERE id = {ONE_EVENT}", "tiered v1"),
    ("failures", "UPDATE usage_rollup SET requests = 1 WHERE outcome = 'failed'", "linear"),
    ("failures", f"UPDATE usage_events SET amount_nanos = 5 WHERE id = {FAILED}", "evt_"),
    ("amounts", f"UPDATE usage_events SET amount_nanos = amount_nanos + 1 WHERE id = {ONE_EVENT}", "300000001"),
    ("amounts", f"UPDATE usage_events SET amount_nanos = NULL WHERE id = {ONE_EVENT}", "None"),
    ("amounts", f"UPDATE usage_events SET model = 'other' WHERE id = {ONE_EVENT}", "a price of other"),
    ("amounts", f"UPDATE usage_events SET live = (1 = 0) WHERE id = {ONE_EVENT}", "300000000"),
    ("payers", "UPDATE usage_rollup SET account_id = 'acct_nobody' WHERE NOT live", "acct_nobody"),
    ("payers", "UPDATE usage_rollup SET plan_version_id = 'plv_none' WHERE NOT live", "plv_none"),
    ("claims", f"DELETE FROM usage_events WHERE id = {ONE_CLAIM}", "a usage event"),
    ("claims", f"UPDATE claims SET content_type = NULL WHERE event_id = {ONE_CLAIM}", "an answer"),
    ("gates", "UPDATE accounts SET gated = (1 = 0)", "is gated"),
    ("positions", "UPDATE gate_positions SET settled_units = settled_units - 1", "tiered"),
    ("positions", "DELETE FROM gate_positions", "linear"),
    ("positions", "UPDATE usage_rollup SET requests = requests + 1 WHERE model = 'tiered'", "tiered"),
    ("held", "UPDATE gate_positions SET held_units = held_units + 1", "units=3"),
    ("held", "DELETE FROM holds WHERE model = 'tiered'", "tiered"),
    ("budgets", f"UPDATE gate_counters SET settled = settled + 1 WHERE budget_id IN {OF_UNITS}", "quota_day"),
    ("budgets", f"UPDATE gate_counters SET settled = settled - 1 WHERE budget_id IN {OF_ACCOUNTS}", "budget_total"),
    ("budgets", f"DELETE FROM gate_counters WHERE budget_id IN {OF_UNITS}", "quota_month"),
    ("budgets-held", "UPDATE gate_counters SET held = held + 1", "bud_"),
    ("budgets-held", "DELETE FROM holds WHERE model = 'linear'", "bud_"),
    ("journal", "UPDATE postings SET amount_nanos = amount_nanos + 1 WHERE ledger_account = 'cash'", "sum to 1"),
    ("journal", f"DELETE FROM postings WHERE entry_id = {A_PAID_ENTRY}", "no postings"),
    ("credit", "UPDATE credit_grants SET remaining_nanos = remaining_nanos - 1 WHERE remaining_nanos > 0", "remaining"),
    ("credit", "UPDATE credit_grants SET refunded_nanos = 1 WHERE refunded_nanos > 0", "refunded"),
    ("credit", "UPDATE credit_grants SET expired_nanos = 1 WHERE expired_nanos > 0", "expired"),
    ("credit", "DELETE FROM journal_entries WHERE source_kind = 'grant'", "amount"),
    ("revenue", "UPDATE postings SET amount_nanos = amount_nanos + 1 WHERE ledger_account = 'usage_revenue'", "period"),
    ("revenue", "UPDATE usage_rollup SET units = units + 1 WHERE model = 'linear' AND live", "period"),
    ("revenue", "DELETE FROM journal_entries WHERE source_kind = 'usage'", "period"),
    ("invoices", f"UPDATE usage_rollup SET units = units + 1 WHERE account_id = {POSTPAID}", "linear, "),
    ("invoices", "UPDATE invoice_lines SET exact_nanos = exact_nanos + 1", "can be computed"),
    ("invoices", "DELETE FROM invoice_lines WHERE model = 'tiered'", "do not sum"),
    ("invoices", "UPDATE accounts SET closed_through = NULL", "is closed"),
    ("numbers", "UPDATE invoices SET number = 'INV-000002' WHERE number IS NOT NULL", "INV-000002"),
    ("numbers", "UPDATE invoice_numbers SET last_number = 7", "7"),
    ("numbers", "DELETE FROM invoices", "number"),
]


def audit(database: Database) -> AuditReport:
    return SelfAudit(database, FrozenClock(IN_MARCH)).run()


@contextmanager
def tampered(database: Database, change: str) -> Iterator[Session]:
    """Yield a session in which the books were changed behind the back of every rule; then undo it.

    Constraints, foreign keys and triggers are out of the way.
    """
    with database.engine.connect() as connection:
        if database.dialect == "sqlite":
            driver: Any = connection.connection.driver_connection
            for pragma in ("foreign_keys = OFF", "ignore_check_constraints = ON"):
                driver.execute(f"PRAGMA {pragma}")
            for trigger in connection.execute(text("SELECT name FROM sqlite_master WHERE type = 'trigger'")).scalars():
                connection.execute(text(f"DROP TRIGGER {trigger}"))
        else:
            connection.execute(text("SET LOCAL session_replication_role = replica"))
            connection.execute(text("ALTER TABLE usage_events DROP CONSTRAINT ck_usage_events_failed_is_free"))
        assert connection.execute(text(change)).rowcount
        with Session(connection) as session:
            yield session
        connection.rollback()
        connection.invalidate()


def test_books_that_agree_pass_and_every_check_has_compared_something(busy: Database) -> None:
    report = audit(busy)
    assert [result for result in report.results if result.differences] == []
    assert report.clean
    assert [result.check for result in report.results if not result.compared] == []
    assert len({result.check for result in report.results}) == len(CHECKS)


def test_empty_books_agree(database: Database) -> None:
    assert audit(database).clean


@pytest.mark.parametrize(("check", "change", "told"), CHANGES)
def test_a_change_behind_the_books_is_told_by_its_check(busy: Database, check: str, change: str, told: str) -> None:
    with tampered(busy, change) as session:
        found = run_check(session, next(each for each in CHECKS if each.name == check), IN_MARCH)
    assert found.differences >= len(found.first) > 0
    assert any(told in f"{it.subject} {it.expected} {it.found}" for it in found.first), found.first


def test_every_check_that_can_differ_has_been_made_to() -> None:
    assert {check for check, _, _ in CHANGES} == {each.name for each in CHECKS} - {"processes"}


def test_what_dead_processes_left_behind_is_a_warning_and_no_difference(busy: Database) -> None:
    processes = by_name(audit(busy))["processes"]
    assert processes.differences == 0
    (warning,) = processes.warnings
    assert warning.startswith("2 holds belong to no living process")


def test_money_that_nobody_can_divide_afterwards_is_said_to_be_uncompared(busy: Database) -> None:
    """Of each account and month: the key's day, month and total, and the account's day, under tiers."""
    assert by_name(audit(busy))["budgets"].uncompared > 0


def by_name(report: AuditReport) -> dict[str, CheckResult]:
    return {result.check: result for result in report.results}
