"""/app/budgets: who sets which budget, who sees it, and how it reads."""

from typing import Any

import pytest

from app.accounts.budget import Measure, Window
from app.audit_log.entry import AuditEntry
from app.members.role import Role
from app.money import NANOS_PER_UNIT
from tests.api.installation import ROW, Installation
from tests.portal.browser import text_of
from tests.portal.visitors import Member, member

MONEY = {"measure": "money", "window": "month", "limit": "10.00"}


def set_budget(person: Member, **fields: Any) -> str:
    """Set a budget of the person's account or of a key; return its id."""
    wanted = {"measure": Measure.UNITS, "window": Window.DAY, "limit_value": 4, **fields}
    return str(person.installation.services.budgets.set(person.account_id, **wanted).budget.id)


def log_of(person: Member, action: str) -> list[AuditEntry]:
    entries = person.installation.services.audit_log.list(account_id=person.account_id)
    return [entry for entry in entries if entry.action == action]


@pytest.mark.parametrize("role", [Role.OWNER, Role.BILLING])
async def test_a_budget_of_the_account_is_set_replaced_and_removed(portal: Installation, role: Role) -> None:
    person = member(portal, role)
    answer = await person.post("/app/budgets", {**MONEY, "reached": "tell", "thresholds": "100, 50 %"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/budgets?done=budget-set")
    (state,) = portal.services.budgets.list(person.account_id)
    budget = state.budget
    assert (budget.limit_value, budget.hard, budget.thresholds) == (10 * NANOS_PER_UNIT, False, (50, 100))
    await person.post("/app/budgets", {**MONEY, "limit": "12.5"})
    page = text_of(await person.get("/app/budgets?done=budget-set"))
    assert "The budget is set." in page
    assert "12.50 USD a month refuses" in page
    assert "0.00 USD used · starts anew 1 Apr 2026" in page
    assert "10.00 USD a month" not in page
    assert {entry.actor.id for entry in log_of(person, "budget.set")} == {person.user.id}

    (state,) = portal.services.budgets.list(person.account_id)
    await person.post(f"/app/budgets/{state.budget.id}/remove")
    assert portal.services.budgets.list(person.account_id) == []
    assert [entry.actor.id for entry in log_of(person, "budget.removed")] == [person.user.id]
    assert (await person.post(f"/app/budgets/{state.budget.id}/remove")).status_code == 404


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER])
async def test_others_see_no_money_of_the_account_and_set_nothing(portal: Installation, role: Role) -> None:
    person = member(portal, role)
    key = portal.another_key(person.account_id, name="Shop")
    budget_id = set_budget(person, measure=Measure.MONEY, limit_value=7_770_000_000)
    set_budget(person, limit_value=40)
    set_budget(person, limit_value=50, key_id=key.key_id)
    for path in ("/app/budgets", "/app"):
        page = await person.get(path)
        assert "7.77" not in page.text
        assert "40 units a day" in text_of(page)
        assert "50 units a day" in text_of(page)
    assert "/remove" not in (await person.get("/app/budgets")).text
    assert (await person.post("/app/budgets", MONEY)).status_code == 403
    assert (await person.post(f"/app/budgets/{budget_id}/remove")).status_code == 403
    assert len(portal.services.budgets.list(person.account_id)) == 3


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"limit": "ten"}, "This is no amount."),
        ({"limit": ""}, "This is no amount."),
        ({"limit": "1e3"}, "This is no amount."),
        ({"measure": "units", "limit": "1.5"}, "This is no whole number."),
        ({"measure": "units", "limit": "-1"}, "This is no whole number."),
        ({"thresholds": "half"}, "This is no whole number."),
        ({"thresholds": "1001"}, "A budget has a limit of zero or more"),
        ({"window": "week"}, "The form is incomplete or holds something that does not belong there."),
    ],
)
async def test_a_budget_that_is_none_is_refused_with_what_was_typed(
    portal: Installation, wrong: dict[str, str], text: str
) -> None:
    person = member(portal)
    answer = await person.post("/app/budgets", {**MONEY, **wrong})
    assert answer.status_code == 400
    assert text in text_of(answer)
    if "window" not in wrong:
        assert f'value="{wrong.get("limit", "10.00")}"' in answer.text
    assert portal.services.budgets.list(person.account_id) == []


async def test_a_budget_that_is_used_up_says_what_is_refused_and_who_was_told(portal: Installation) -> None:
    person = member(portal)
    key = portal.another_key(person.account_id, name="Shop")
    set_budget(person, key_id=key.key_id)
    assert (await portal.predict(key, [ROW] * 4)).status_code == 200
    page = text_of(await person.get("/app/budgets"))
    assert "Shop 4 units a day refuses 4 units used · starts anew 16 Mar 2026" in page
    for percent in (80, 100):
        assert f"Shop 4 units a day {percent} % 4 units" in page
    assert "Calls of the key Shop are refused with 402 and cost nothing." in text_of(await person.get("/app"))
    assert (await portal.predict(key, [ROW])).status_code == 402


async def test_a_budget_of_zero_is_shown_as_used_up(portal: Installation) -> None:
    person = member(portal)
    set_budget(person, limit_value=0)
    page = await person.get("/app/budgets")
    assert "0 units a day" in text_of(page)
    assert 'class="budget-over" width="1000"' in page.text
