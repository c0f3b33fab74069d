"""Calls of the playground that a bound refuses: the page says by how much, and that nothing was charged."""

from uuid import uuid4

import httpx

from app.accounts.budget import Measure, Window
from app.accounts.rate_limits import RateLimits
from app.audit_log.actor import INSTALLATION
from app.members.role import Role
from tests.api.installation import ROW, Installation
from tests.portal.browser import text_of
from tests.portal.prepaid import prepaid_member
from tests.portal.visitors import Member, member

_ROW = ", ".join(map(str, ROW))


async def run(person: Member, rows: int = 1) -> httpx.Response:
    form = {"mode": "live", "idempotency_key": str(uuid4()), "rows": "\n".join([_ROW] * rows)}
    return await person.post("/app/models/linear/predict", form)


async def test_a_prepaid_account_sees_its_balance_and_what_a_call_lacks(portal: Installation) -> None:
    person = prepaid_member(portal, "0.05", Role.DEVELOPER)
    page = text_of(await person.get("/app/playground/linear"))
    assert "Live: 0.01 USD for one row, from your balance" in page
    assert "Available: 0.05 USD" in page
    assert "Available: 0.02 USD" in text_of(await run(person, 3))
    refused = await run(person, 3)
    assert refused.status_code == 402
    assert "The balance does not cover this call." in text_of(refused)
    assert "It may cost 0.03 USD Available 0.02 USD" in text_of(refused)


async def test_a_quota_that_is_used_up_says_when_it_starts_anew(portal: Installation) -> None:
    person = member(portal)
    assert "0.00001 USD for one row, on your next invoice" in text_of(await person.get("/app/playground/linear"))
    portal.services.budgets.set(person.account_id, measure=Measure.UNITS, window=Window.DAY, limit_value=2)
    refused = await run(person, 3)
    assert refused.status_code == 402
    page = text_of(refused)
    assert "Bound 2 units account_quota_day Used or held 0 units It asks for 3 units" in page
    assert "Starts anew 16 Mar 2026, 00:00:00" in page


async def test_a_limit_that_is_reached_says_how_long_it_lasts(portal: Installation) -> None:
    person = member(portal)
    key = portal.services.accounts.playground_key(person.account_id, live=True, by=INSTALLATION)
    portal.services.limits.set_of_key(person.account_id, key.id, RateLimits(units_per_minute=2))
    portal.services.authenticator.forget()
    never = await run(person, 3)
    assert never.status_code == 413
    assert "Bound 2 units key_units_per_minute It asks for 3 units" in text_of(never)
    assert (await run(person, 2)).status_code == 200
    refused = await run(person, 1)
    assert refused.status_code == 429
    assert "Bound 2 key_units_per_minute Starts anew in 60 seconds" in text_of(refused)
