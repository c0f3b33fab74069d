"""What a gate does it does once, and under its lock: however often a group is tried, and whoever else comes."""

import pytest
from sqlalchemy import text

from app.accounts.store import booking_facts
from app.charging.gate import Granted, Pass
from app.charging.gate_account import GateAccount, GatePosition
from app.charging.gate_book import GateBook
from app.charging.hold import InsufficientBalance
from app.charging.hold_store import lock_gates
from app.charging.open_gate import stand_gate
from app.charging.tables import ClaimRow, GatePositionRow
from app.clock import FrozenClock
from app.database import Database
from tests.builders import make_claim
from tests.charging.gated_account import PRICE_NANOS, GatedAccount, counts_agree, open_gated_account
from tests.charging.serving_process import ServingProcess, charged, rows_of


@pytest.fixture
def acme(database: Database, clock: FrozenClock) -> GatedAccount:
    acme = open_gated_account(database, clock)
    acme.credits.grant(acme.account.id, amount_nanos=9 * PRICE_NANOS)
    return acme


def held_units(database: Database) -> list[int]:
    with database.reading() as session:
        return [row.held_units for row in session.query(GatePositionRow)]


async def test_a_hold_whose_commit_was_not_confirmed_is_taken_once(process: ServingProcess, acme: GatedAccount) -> None:
    process.database.lost_answers = 1
    assert isinstance(await process.gate.enter(Pass(hold=acme.request(5))), Granted)
    assert (acme.holds(), held_units(acme.database)) == (1, [5])


async def test_a_settlement_whose_commit_was_not_confirmed_is_made_once_though_there_is_no_room_for_another(
    process: ServingProcess, acme: GatedAccount
) -> None:
    request = acme.request(9)
    await process.gate.enter(Pass(hold=request))
    process.database.lost_answers = 1
    await process.recorder.record(acme.record(request))
    assert charged(acme.database) == (1, 1)
    assert acme.credits.balance(acme.account.id).total_nanos == 0
    assert (acme.holds(), counts_agree(acme.database)) == (0, True)


async def test_the_key_of_a_refused_call_is_free_for_another_one(process: ServingProcess, acme: GatedAccount) -> None:
    refused, other = acme.request(10), acme.request(9)
    with pytest.raises(InsufficientBalance):
        await process.gate.enter(Pass(make_claim(account_id=acme.account.id, event_id=refused.event_id), refused))
    assert rows_of(acme.database, ClaimRow) == 0
    claim = make_claim(account_id=acme.account.id, event_id=other.event_id)
    assert isinstance(await process.gate.enter(Pass(claim, other)), Granted)


def test_a_hold_is_given_back_once(acme: GatedAccount) -> None:
    gate = GateAccount(
        account=acme.account,
        budgets=(),
        versions={acme.version.id: acme.version},
        positions={},
        counters={},
        grants=acme.credits.grants(acme.account.id),
    )
    book, request = GateBook({acme.account.id: gate}, {}), acme.request(5)
    book.take(request)
    assert book.release(request.event_id)
    assert not book.release(request.event_id)
    assert list(gate.positions.values()) == [GatePosition()]


def test_a_locked_gate_is_locked_and_a_booked_account_is_shared(postgres_url: str, clock: FrozenClock) -> None:
    """On PostgreSQL; on SQLite one transaction writes at a time."""
    database = Database(postgres_url)
    acme = open_gated_account(database, clock)
    with database.transaction() as session:
        stand_gate(session, acme.account.id, clock.now())

    def free(table: str, column: str, strength: str) -> bool:
        with database.transaction() as session:
            query = f"SELECT 1 FROM {table} WHERE {column} = :account FOR {strength} SKIP LOCKED"
            return session.scalar(text(query), {"account": acme.account.id}) is not None

    with database.transaction() as session:
        lock_gates(session, [acme.account.id])
        booking_facts(session, [acme.account.id])
        assert not free("gates", "account_id", "SHARE")
        assert (free("accounts", "id", "SHARE"), free("accounts", "id", "UPDATE")) == (True, False)
    assert free("gates", "account_id", "UPDATE")
    assert free("accounts", "id", "UPDATE")
    database.dispose()
