"""What ended before a gate or a budget began to count is no difference, though its last calls are settled behind it."""

from datetime import timedelta

from app.accounts.budget import Measure, Window
from app.clock import FrozenClock
from app.database import Database
from app.self_audit.service import SelfAudit
from tests.charging.gated_account import open_gated_account
from tests.charging.serving_process import serving


async def test_a_call_older_than_what_its_gate_counts_is_no_difference(database: Database, clock: FrozenClock) -> None:
    acme = open_gated_account(database, clock, billing="postpaid")
    async with serving(database, clock) as process:
        for _ in range(2):
            await process.recorder.record(acme.record(acme.request()))
        running = acme.request()
        clock.advance(timedelta(days=70))
        acme.budgets.set(acme.account.id, measure=Measure.UNITS, window=Window.MONTH, limit_value=9)
        await process.recorder.record(acme.record(running))
        await process.recorder.record(acme.record(acme.request(2)))
    results = {result.check: result for result in SelfAudit(database, clock).run().results}
    assert {
        name: results[name].differences for name in ("positions", "held", "budgets", "budgets-held")
    } == dict.fromkeys(("positions", "held", "budgets", "budgets-held"), 0)
    assert (results["positions"].compared, results["positions"].uncompared) == (1, 1)
