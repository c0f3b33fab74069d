"""Housekeeping: what nobody can ask for any more goes, and nothing else does, however often it runs."""

import asyncio
from datetime import timedelta

from sqlalchemy import select

from app.charging.gate import Pass
from app.charging.housekeeping import Housekeeping
from app.charging.recorder import Record
from app.charging.tables import ClaimRow
from app.clock import FrozenClock
from app.database import Database
from tests.builders import make_answer, make_claim, make_event
from tests.charging.serving_process import ANSWER_TTL, ServingProcess, charged

HOUR, MICROSECOND = timedelta(hours=1), timedelta(microseconds=1)


async def test_answers_go_once_nobody_can_get_them_and_their_charges_stay(
    database: Database, process: ServingProcess, clock: FrozenClock
) -> None:
    housekeeping = Housekeeping(database, clock, answer_ttl=ANSWER_TTL)
    old = make_claim(key="old")
    await process.gate.enter(Pass(old))
    await process.recorder.record(Record(make_event(id=old.event_id), old, make_answer()))
    clock.advance(MICROSECOND)
    await process.gate.enter(Pass(make_claim(key="young")))

    clock.advance(ANSWER_TTL + HOUR - MICROSECOND)
    assert await asyncio.to_thread(housekeeping.purge) == 0
    clock.advance(MICROSECOND)
    assert await asyncio.to_thread(housekeeping.purge) == 1
    assert await asyncio.to_thread(housekeeping.purge) == 0
    with database.reading() as session:
        assert session.scalars(select(ClaimRow.idempotency_key)).all() == ["young"]
    assert charged(database) == (1, 1)
