"""The database: what durable means on each kind, whole transactions, and driver errors in our own words."""

import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import func, select, text, update
from sqlalchemy.exc import DatabaseError

from app.accounts.store import find_account, insert_account, lock_account, record_change
from app.accounts.tables import AccountRow
from app.database import ConstraintViolated, Database, DatabaseUnavailable, Session
from app.errors import Invalid
from tests.builders import make_account, open_account

FULL, NORMAL = 2, 1


def count_accounts(database: Database) -> int:
    with database.reading() as session:
        return session.scalar(select(func.count()).select_from(AccountRow)) or 0


def synchronous(session: Session) -> object:
    if session.get_bind().dialect.name == "postgresql":
        return session.scalar(text("SHOW synchronous_commit"))
    return session.scalar(text("PRAGMA synchronous"))


def test_a_durable_commit_waits_for_the_disk_and_a_lax_one_does_not(database: Database) -> None:
    levels = []
    for durable in (True, False, True, False):  # in turns: no setting may stick to a pooled connection
        with database.transaction(durable=durable) as session:
            levels.append(synchronous(session))
    assert levels == {"sqlite": [FULL, NORMAL] * 2, "postgresql": ["on", "off"] * 2}[database.dialect]


def test_durable_means_durable_even_where_the_server_says_otherwise(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.transaction() as session:
        session.execute(text(f'ALTER DATABASE "{database.url.database}" SET synchronous_commit = off'))
    database.dispose()
    with database.transaction() as session:
        assert synchronous(session) == "on"
    database.dispose()


def test_sqlite_uses_a_write_ahead_log_and_holds_foreign_keys(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    for durable in (True, False):
        with database.transaction(durable=durable) as session:
            pragmas = [session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "foreign_keys")]
            assert pragmas == ["wal", 1]
    database.dispose()


def test_postgresql_keeps_its_promise_to_flush(postgres_url: str) -> None:
    database = Database(postgres_url)
    with database.reading() as session:
        assert [session.scalar(text(f"SHOW {name}")) for name in ("fsync", "full_page_writes")] == ["on", "on"]
    database.dispose()


def test_nothing_is_committed_when_the_block_raises(database: Database) -> None:
    def fail_after_writing() -> None:
        with database.transaction() as session:
            insert_account(session, make_account())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail_after_writing()
    assert count_accounts(database) == 0
    open_account(database)  # the writer is free again
    assert count_accounts(database) == 1


def test_writers_take_turns_and_lose_nothing(database: Database) -> None:
    open_account(database)

    def add_a_day(_: int) -> None:
        with database.transaction() as session:
            day = lock_account(session, "acct_1").anchor_day
            session.execute(update(AccountRow).values(anchor_day=day + 1))

    with ThreadPoolExecutor(10) as pool:
        list(pool.map(add_a_day, range(30)))
    with database.reading() as session:
        account = find_account(session, "acct_1")
    assert account is not None
    assert account.anchor_day == 31


def test_sqlite_has_one_writer_at_a_time_and_readers_do_not_wait_for_it(sqlite_url: str) -> None:
    database = Database(sqlite_url)
    written, go_on = threading.Event(), threading.Event()

    def write_slowly() -> None:
        with database.transaction() as session:
            insert_account(session, make_account())
            written.set()
            assert go_on.wait(10)

    with ThreadPoolExecutor(2) as pool:
        slow = pool.submit(write_slowly)
        assert written.wait(10)
        second = pool.submit(open_account, database, make_account(id="acct_2"))
        assert count_accounts(database) == 0
        assert not second.done()
        go_on.set()
        slow.result()
        second.result()
    assert count_accounts(database) == 2
    database.dispose()


def test_a_reader_sees_one_state_from_its_first_query_on(database: Database) -> None:
    with database.reading() as session:
        assert session.scalar(select(func.count()).select_from(AccountRow)) == 0
        open_account(database)
        assert session.scalar(select(func.count()).select_from(AccountRow)) == 0
    assert count_accounts(database) == 1


def test_a_reading_keeps_nothing_that_it_wrote(database: Database) -> None:
    with database.reading() as session:
        insert_account(session, make_account())
    assert count_accounts(database) == 0


def test_a_refused_row_is_a_constraint_violation(database: Database) -> None:
    open_account(database)
    with pytest.raises(ConstraintViolated):
        open_account(database)  # the same id
    with pytest.raises(ConstraintViolated):
        open_account(database, make_account(id="acct_2", anchor_day=32))
    assert count_accounts(database) == 1


def test_a_refused_row_is_not_quoted_in_what_is_logged(database: Database) -> None:
    open_account(database)
    secret = replace(make_account(), name="Ada Secret")
    for account in (secret, replace(secret, id="acct_other", anchor_day=32)):
        with pytest.raises(ConstraintViolated) as caught:
            open_account(database, account)
        logged = "".join(traceback.format_exception(caught.value))
        assert "INSERT INTO accounts" in logged
        assert [value for value in ("Ada Secret", account.id) if value in logged] == []


@pytest.mark.parametrize("synchronous_commit", [True, False])
def test_a_connection_that_dies_in_a_transaction_is_an_outage_and_leaves_nothing(
    postgres_url: str, synchronous_commit: bool
) -> None:
    database, killer = Database(postgres_url), Database(postgres_url)

    def write_and_be_killed() -> None:
        with database.transaction(durable=synchronous_commit) as session:
            insert_account(session, make_account())
            pid = session.scalar(text("SELECT pg_backend_pid()"))
            with killer.transaction() as other:
                assert other.scalar(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
            insert_account(session, make_account(id="acct_2"))

    with pytest.raises(DatabaseUnavailable) as caught:
        write_and_be_killed()
    assert caught.value.retry_after_s == 1
    assert count_accounts(database) == 0
    open_account(database)  # the next transaction gets a connection that lives
    assert count_accounts(database) == 1
    database.dispose()
    killer.dispose()


def test_a_connection_that_dies_in_the_pool_is_not_noticed_by_anybody(postgres_url: str) -> None:
    database, killer = Database(postgres_url), Database(postgres_url)
    with database.reading() as session:
        pid = session.scalar(text("SELECT pg_backend_pid()"))
    with killer.transaction() as other:
        assert other.scalar(text("SELECT pg_terminate_backend(:pid, 10000)"), {"pid": pid})
    assert count_accounts(database) == 0
    database.dispose()
    killer.dispose()


def test_a_full_disk_is_an_outage_and_leaves_nothing(sqlite_url: str) -> None:
    database = Database(sqlite_url)

    def write_until_full() -> None:
        with database.transaction() as session:
            pages = session.scalar(text("PRAGMA page_count"))
            session.execute(text(f"PRAGMA max_page_count = {pages}"))
            for number in range(10_000):
                insert_account(session, make_account(id=f"acct_{number}"))

    with pytest.raises(DatabaseUnavailable) as caught:
        write_until_full()
    assert "full" in str(caught.value.__cause__)
    assert count_accounts(database) == 0
    database.dispose()


def test_a_database_that_was_made_read_only_is_an_outage(database: Database) -> None:
    read_only = {"sqlite": "PRAGMA query_only = ON", "postgresql": "SET TRANSACTION READ ONLY"}[database.dialect]

    def write() -> None:
        with database.transaction() as session:
            session.execute(text(read_only))
            record_change(session)

    with pytest.raises(DatabaseUnavailable):
        write()


def test_a_deadlock_is_an_outage_for_one_and_nothing_to_the_other(postgres_url: str) -> None:
    database = Database(postgres_url)
    for name in ("acct_1", "acct_2"):
        open_account(database, make_account(id=name))
    both_hold_one = threading.Barrier(2)

    def lock_both(first: str, second: str) -> str:
        try:
            with database.transaction() as session:
                lock_account(session, first)
                both_hold_one.wait(10)
                lock_account(session, second)
        except DatabaseUnavailable:
            return "unavailable"
        return "done"

    with ThreadPoolExecutor(2) as pool:
        results = list(pool.map(lock_both, ("acct_1", "acct_2"), ("acct_2", "acct_1")))
    assert sorted(results) == ["done", "unavailable"]
    database.dispose()


@pytest.mark.parametrize("statement", ["SELECT * FROM no_such_table", "SELECT FROM WHERE", "SELECT no_such_function()"])
def test_a_wrong_statement_is_a_bug_and_no_outage(database: Database, statement: str) -> None:
    for block in (database.transaction, database.reading):
        with pytest.raises(DatabaseError), block() as session:
            session.execute(text(statement))
    database.check()


@pytest.mark.parametrize("code", ["08006", "25006", "40001", "40P01", "53100", "53300", "55P03", "57P01", "58030"])
def test_what_postgresql_may_get_over_is_an_outage(postgres_url: str, code: str) -> None:
    assert isinstance(raised_by_postgresql(postgres_url, code), DatabaseUnavailable)


@pytest.mark.parametrize("code", ["0A000", "22P02", "23505", "25P02", "42501", "42P01", "55000", "P0001"])
def test_what_postgresql_will_say_again_is_none(postgres_url: str, code: str) -> None:
    assert not isinstance(raised_by_postgresql(postgres_url, code), DatabaseUnavailable)


def raised_by_postgresql(url: str, code: str) -> Exception:
    """Return what a transaction raises whose statement the server refuses with that SQLSTATE."""
    database = Database(url)
    with pytest.raises(Exception) as caught, database.transaction() as session:  # noqa: PT011 - its type is the result
        session.execute(text(f"DO $$ BEGIN RAISE EXCEPTION 'refused' USING ERRCODE = '{code}'; END $$"))
    database.dispose()
    return caught.value


def test_a_sqlite_file_that_another_program_holds_is_an_outage(
    sqlite_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.database._BUSY_TIMEOUT_MS", 0)
    database, other = Database(sqlite_url), Database(sqlite_url)
    with other.transaction(), pytest.raises(DatabaseUnavailable), database.transaction():
        pass
    database.dispose()
    other.dispose()


def test_a_file_that_is_no_database_is_an_outage(tmp_path: Path) -> None:
    file = tmp_path / "faremeter.db"
    file.write_bytes(b"not a database" * 100)
    database = Database(f"sqlite:///{file}")
    with pytest.raises(DatabaseUnavailable):
        database.check()
    database.dispose()


def test_an_absent_database_is_unavailable(tmp_path_factory: pytest.TempPathFactory) -> None:
    folder = tmp_path_factory.mktemp("nothing")
    for url in (f"postgresql://nobody@/nothing?host={folder}", f"sqlite:///{folder}"):
        database = Database(url)
        with pytest.raises(DatabaseUnavailable):
            database.check()
        database.dispose()


@pytest.mark.parametrize("url", ["mysql://u@h/d", "oracle://u@h/d"])
def test_a_database_of_another_kind_is_refused(url: str) -> None:
    with pytest.raises(Invalid, match="FAREMETER_DATABASE_URL"):
        Database(url)
