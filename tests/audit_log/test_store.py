"""Entries come back as they were written, newest first, and never change."""

from dataclasses import replace

import pytest
from sqlalchemy import text

from app.audit_log.actor import INSTALLATION, Actor, ActorKind
from app.audit_log.service import AuditLog
from app.audit_log.store import record
from app.clock import FrozenClock
from app.database import ConstraintViolated, Database
from app.errors import Conflict

ADA = Actor(ActorKind.USER, "user_ada", "2001:db8::7")


@pytest.fixture
def audit_log(database: Database) -> AuditLog:
    return AuditLog(database)


def write(database: Database, clock: FrozenClock, action: str, *, account_id: str | None = None) -> None:
    with database.transaction() as session:
        record(session, by=ADA, at=clock.now(), action=action, target="key_1", account_id=account_id, name="Zoë's key")


def actions_of(audit_log: AuditLog, account_id: str | None = None, before: str | None = None) -> list[str]:
    return [entry.action for entry in audit_log.list(account_id, before)]


def test_an_entry_says_who_did_what_to_what_and_when(
    database: Database, audit_log: AuditLog, clock: FrozenClock
) -> None:
    write(database, clock, "key.created", account_id="acct_1")
    with database.transaction() as session:
        record(session, by=INSTALLATION, at=clock.now(), action="invoices.run", target="2026-03")
    run, created = audit_log.list()
    assert (run.actor, run.account_id, run.details) == (INSTALLATION, None, {})
    assert created.id.startswith("aud_")
    assert (created.occurred_at, created.actor, created.action) == (clock.now(), ADA, "key.created")
    assert (created.target, created.account_id, created.details) == ("key_1", "acct_1", {"name": "Zoë's key"})


def test_the_newest_comes_first_even_within_one_instant(
    database: Database, audit_log: AuditLog, clock: FrozenClock
) -> None:
    actions = [f"step.{number:03}" for number in range(200)]
    with database.transaction() as session:
        for action in actions:
            record(session, by=ADA, at=clock.now(), action=action, target="key_1")
    listed = audit_log.list(limit=1000)
    assert [entry.action for entry in listed] == actions[::-1]


def test_pages_join_without_gap_or_repeat(database: Database, audit_log: AuditLog, clock: FrozenClock) -> None:
    for number in range(7):
        write(database, clock, f"step.{number}")
    seen: list[str] = []
    page = audit_log.list(limit=3)
    while page:
        seen += [entry.action for entry in page]
        page = audit_log.list(before=page[-1].id, limit=3)
    assert seen == [f"step.{number}" for number in range(6, -1, -1)]


def test_an_account_sees_what_concerns_it(database: Database, audit_log: AuditLog, clock: FrozenClock) -> None:
    for account_id in ("acct_1", "acct_2", None):
        write(database, clock, f"of.{account_id}", account_id=account_id)
    assert actions_of(audit_log, "acct_1") == ["of.acct_1"]
    assert actions_of(audit_log) == ["of.None", "of.acct_2", "of.acct_1"]


def test_a_change_that_fails_leaves_no_entry(database: Database, audit_log: AuditLog, clock: FrozenClock) -> None:
    def fail_halfway() -> None:
        with database.transaction() as session:
            record(session, by=ADA, at=clock.now(), action="key.created", target="key_1")
            raise Conflict("and then it went wrong")

    with pytest.raises(Conflict):
        fail_halfway()
    assert audit_log.list() == []


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit_log SET actor_id = 'somebody else'",
        "UPDATE audit_log SET actor_address = '192.0.2.1'",
        "UPDATE audit_log SET actor_address = NULL, details = '{}'",
        "UPDATE audit_log SET actor_address = NULL, account_id = 'acct_2'",
        "DELETE FROM audit_log",
    ],
)
def test_an_entry_refuses_every_change(
    database: Database, audit_log: AuditLog, clock: FrozenClock, statement: str
) -> None:
    write(database, clock, "key.created")
    with pytest.raises(ConstraintViolated), database.transaction() as session:
        session.execute(text(statement))
    assert actions_of(audit_log) == ["key.created"]


def test_an_entry_may_forget_the_address_of_who_acted(
    database: Database, audit_log: AuditLog, clock: FrozenClock
) -> None:
    write(database, clock, "key.created")
    (before,) = audit_log.list()
    with database.transaction() as session:
        session.execute(text("UPDATE audit_log SET actor_address = NULL"))
    assert audit_log.list() == [replace(before, actor=replace(ADA, address=None))]


def test_sqlite_refuses_to_replace_an_entry(sqlite_url: str, clock: FrozenClock) -> None:
    database = Database(sqlite_url)
    write(database, clock, "key.created")
    columns = "id, occurred_at, actor_kind, actor_id, actor_address, action, target, account_id"
    replaced = f"REPLACE INTO audit_log ({columns}, details) SELECT {columns}, '{{}}' FROM audit_log"
    with pytest.raises(ConstraintViolated), database.transaction() as session:
        session.execute(text(replaced))
    database.dispose()


def test_postgresql_refuses_to_empty_the_table(postgres_url: str, clock: FrozenClock) -> None:
    database = Database(postgres_url)
    write(database, clock, "key.created")
    with pytest.raises(ConstraintViolated), database.transaction() as session:
        session.execute(text("TRUNCATE audit_log"))
    database.dispose()
