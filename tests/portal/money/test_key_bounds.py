"""/app/keys/{id}: the budgets and limits of a key, set by whoever may make keys."""

from datetime import timedelta
from typing import Any

import pytest

from app.accounts.budget import Measure, Window
from app.accounts.rate_limits import RateLimits
from app.members.role import Role
from tests.api.installation import Installation
from tests.portal.browser import text_of
from tests.portal.visitors import Member, member

MONEY = {"measure": "money", "window": "month", "limit": "10.00"}


def key_of(person: Member, name: str) -> str:
    return str(person.installation.services.accounts.create_key(person.account_id, name=name).key.id)


@pytest.mark.parametrize("role", [Role.OWNER, Role.DEVELOPER])
async def test_a_keys_bounds_are_set_by_forms_and_stand_in_the_list(portal: Installation, role: Role) -> None:
    person = member(portal, role)
    key_id, services = key_of(person, "Shop"), portal.services
    assert "Shop" in text_of(await person.get("/app/keys"))
    assert "no bound" in text_of(await person.get("/app/keys"))
    answer = await person.post(f"/app/keys/{key_id}/budgets", MONEY)
    assert answer.headers["location"] == f"/app/keys/{key_id}?done=budget-set"
    limits = {"requests_per_minute": "600", "units_per_minute": "", "concurrency_max": "8"}
    answer = await person.post(f"/app/keys/{key_id}/limits", limits)
    assert answer.headers["location"] == f"/app/keys/{key_id}?done=limits-set"
    assert services.limits.of_key(person.account_id, key_id) == RateLimits(600, None, 8)
    listed = text_of(await person.get("/app/keys"))
    assert "10.00 USD a month 600 requests a minute, 8 calls at once" in listed
    assert "no bound" not in listed
    shown = await person.get(f"/app/keys/{key_id}?done=limits-set")
    assert "The limits are set." in text_of(shown)
    assert 'name="requests_per_minute" type="text" value="600"' in shown.text
    actors = {e.actor.id for e in services.audit_log.list(account_id=person.account_id) if e.action != "key.created"}
    assert person.user.id in actors

    (state,) = services.budgets.list(person.account_id)
    answer = await person.post(f"/app/keys/{key_id}/budgets/{state.budget.id}/remove")
    assert answer.headers["location"] == f"/app/keys/{key_id}?done=budget-removed"
    await person.post(f"/app/keys/{key_id}/limits", {})
    assert services.limits.of_key(person.account_id, key_id).none
    assert "no bound" in text_of(await person.get("/app/keys"))


async def test_a_successor_shows_and_changes_what_it_shares(portal: Installation) -> None:
    person = member(portal)
    first_id, services = key_of(person, "Shop"), portal.services
    new = services.accounts.rotate_key(person.account_id, first_id, grace=timedelta(hours=1))
    await person.post(f"/app/keys/{new.key.id}/budgets", MONEY)
    await person.post(f"/app/keys/{new.key.id}/limits", {"concurrency_max": "3"})
    (state,) = services.budgets.list(person.account_id)
    assert state.budget.key_id == first_id
    for key_id in (first_id, new.key.id):
        page = await person.get(f"/app/keys/{key_id}")
        assert "10.00 USD a month" in text_of(page)
        assert "This key: 3 calls at once." in text_of(page)
        assert f"/app/keys/{key_id}/budgets/{state.budget.id}/remove" in page.text
    assert (await person.post(f"/app/keys/{new.key.id}/budgets/{state.budget.id}/remove")).status_code == 303
    assert services.budgets.list(person.account_id) == []


async def test_a_form_removes_no_budget_but_of_its_own_key(portal: Installation) -> None:
    person = member(portal, Role.DEVELOPER)
    mine, other = key_of(person, "Mine"), key_of(person, "Other")
    wanted: dict[str, Any] = {"measure": Measure.UNITS, "window": Window.DAY, "limit_value": 10}
    of_account = portal.services.budgets.set(person.account_id, **wanted).budget.id
    of_other = portal.services.budgets.set(person.account_id, key_id=other, **wanted).budget.id
    for budget_id in (of_account, of_other):
        assert (await person.post(f"/app/keys/{mine}/budgets/{budget_id}/remove")).status_code == 404
    assert len(portal.services.budgets.list(person.account_id)) == 2


@pytest.mark.parametrize("value", ["0", "1.5", "-1", "many", "1000000001"])
async def test_a_limit_that_is_none_is_refused_with_what_was_typed(portal: Installation, value: str) -> None:
    person = member(portal)
    key_id = key_of(person, "Shop")
    answer = await person.post(f"/app/keys/{key_id}/limits", {"units_per_minute": value})
    assert answer.status_code == 400
    assert f'value="{value}"' in answer.text
    assert 'id="units_per_minute-problem"' in answer.text
    assert portal.services.limits.of_key(person.account_id, key_id).none


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BILLING])
async def test_who_makes_no_keys_sees_their_bounds_and_no_form(portal: Installation, role: Role) -> None:
    person = member(portal, role)
    key_id = key_of(person, "Shop")
    portal.services.limits.set_of_account(person.account_id, RateLimits(units_per_minute=1))
    page = await person.get(f"/app/keys/{key_id}")
    assert "All keys of the account together: 1 unit a minute" in text_of(page)
    assert f"/app/keys/{key_id}/" not in page.text
    assert (await person.post(f"/app/keys/{key_id}/budgets", MONEY)).status_code == 403
    assert (await person.post(f"/app/keys/{key_id}/limits", {})).status_code == 403
