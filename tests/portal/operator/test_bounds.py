"""What operators bound: an account by budgets and limits, a model by limits."""

from app.accounts.rate_limits import UNLIMITED, RateLimits
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import text_of

QUOTA = {"measure": "units", "window": "day", "limit": "1000"}


async def test_an_operator_sets_and_removes_a_budget_of_an_account(portal: Installation) -> None:
    account_id, operator = visitors.account(portal), visitors.another_operator(portal)
    path = f"/operator/accounts/{account_id}"
    answer = await operator.post(f"{path}/budgets", QUOTA)
    assert answer.headers["location"] == f"{path}/bounds?done=budget-set"
    assert "1,000 units a day refuses" in text_of(await operator.get(f"{path}/bounds?done=budget-set"))
    assert "1,000 units a day: 0 units used" in text_of(await operator.get(path))
    refused = await operator.post(f"{path}/budgets", {**QUOTA, "limit": "all"})
    assert (refused.status_code, "This is no whole number." in text_of(refused)) == (400, True)
    (state,) = portal.services.budgets.list(account_id)
    await operator.post(f"{path}/budgets/{state.budget.id}/remove")
    assert portal.services.budgets.list(account_id) == []
    actors = {entry.actor.id for entry in portal.services.audit_log.list(account_id) if "budget" in entry.action}
    assert actors == {operator.user.id}


async def test_a_budget_is_removed_in_its_own_account_alone(portal: Installation) -> None:
    mine, theirs, operator = visitors.account(portal), visitors.account(portal), visitors.operator(portal)
    await operator.post(f"/operator/accounts/{theirs}/budgets", QUOTA)
    (state,) = portal.services.budgets.list(theirs)
    assert (await operator.post(f"/operator/accounts/{mine}/budgets/{state.budget.id}/remove")).status_code == 404
    assert len(portal.services.budgets.list(theirs)) == 1


async def test_an_operator_limits_an_account(portal: Installation) -> None:
    account_id, operator = visitors.account(portal), visitors.operator(portal)
    path = f"/operator/accounts/{account_id}"
    answer = await operator.post(f"{path}/limits", {"units_per_minute": "5000"})
    assert answer.headers["location"] == f"{path}/bounds?done=limits-set"
    assert portal.services.limits.of_account(account_id) == RateLimits(units_per_minute=5000)
    assert "All its keys together: 5,000 units a minute." in text_of(await operator.get(f"{path}/bounds"))
    assert (await operator.post(f"{path}/limits", {"units_per_minute": "0"})).status_code == 400
    assert (await operator.post(f"{path}/limits")).status_code == 303
    assert portal.services.limits.of_account(account_id) == UNLIMITED


async def test_an_operator_limits_a_model(portal: Installation) -> None:
    operator = visitors.operator(portal)
    try:
        answer = await operator.post("/operator/models/linear/limits", {"concurrency_max": "1000"})
        assert answer.headers["location"] == "/operator/models?done=limits-set"
        assert portal.services.limits.of_model("linear") == RateLimits(concurrency_max=1000)
        page = text_of(await operator.get("/operator/models"))
        assert "Limits of all who call it: 1,000 calls at once" in page
        assert "Limits of all who call it: none" in page
        wrong = await operator.post("/operator/models/linear/limits", {"concurrency_max": "few"})
        assert (wrong.status_code, 'value="few"' in wrong.text) == (400, True)
    finally:
        portal.services.limits.set_of_model("linear", UNLIMITED)
    assert (await operator.post("/operator/models/nothing/limits")).status_code == 404
