"""What operators see of an account is what the account sees of itself, in the same words."""

from typing import Any

from tests.api.calling import basic
from tests.api.installation import OPERATOR, ROW, Installation, Tenant, json_of
from tests.api.problems import Expected, assert_problem

BASIC = basic(*OPERATOR)


async def both(faremeter: Installation, tenant: Tenant, own: str, of_operator: str) -> tuple[Any, Any]:
    """Return what the account is answered, and what operators are."""
    theirs = f"/v1/admin/accounts/{tenant.account_id}{of_operator}"
    return (
        json_of(await faremeter.http.get(own, headers=tenant.headers)),
        json_of(await faremeter.http.get(theirs, headers=BASIC)),
    )


async def test_balance_history_grants_alerts_and_keys_are_the_accounts_own(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    admin = f"/v1/admin/accounts/{tenant.account_id}"
    json_of(await faremeter.http.post(f"{admin}/credits", json={"amount": "10"}, headers=BASIC))
    json_of(await faremeter.http.put(f"{admin}/budgets/units/day", json={"limit": 4}, headers=BASIC))
    faremeter.poll_changes()
    json_of(await faremeter.predict(tenant, [ROW] * 4))
    for path in ("/balance", "/balance/history", "/credits", "/budgets", "/budgets/alerts", f"/keys/{tenant.key_id}"):
        own, of_operator = await both(faremeter, tenant, f"/v1{path}", path)
        assert own == of_operator
        assert own.get("data", True)  # nothing is alike because nothing is there
    alerts = json_of(await faremeter.http.get(f"{admin}/budgets/alerts?limit=1", headers=BASIC))
    assert (len(alerts["data"]), alerts["next_cursor"]) == (1, alerts["data"][0]["id"])


async def test_an_operator_sets_sees_loosens_and_removes_the_budgets_of_a_key(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    other = faremeter.another_key(tenant.account_id)
    url = f"/v1/admin/accounts/{tenant.account_id}/keys/{tenant.key_id}/budgets"
    for limit in (5, 9):
        state = json_of(await faremeter.http.put(f"{url}/units/day", json={"limit": limit}, headers=BASIC))
        assert (state["key"], state["limit"], state["used"]) == (tenant.key_id, limit, 0)
    quota = {"limit": 7}
    json_of(
        await faremeter.http.put(url.replace("/keys/" + tenant.key_id, "") + "/units/day", json=quota, headers=BASIC)
    )
    assert json_of(await faremeter.http.get(url, headers=BASIC)) == {"data": [state], "next_cursor": None}
    of_other = json_of(await faremeter.http.get(url.replace(tenant.key_id, other.key_id), headers=BASIC))
    assert of_other == {"data": [], "next_cursor": None}
    removed = json_of(await faremeter.http.delete(f"{url}/units/day", headers=BASIC))
    assert removed["id"] == state["id"]
    again = await faremeter.http.delete(f"{url}/units/day", headers=BASIC)
    assert_problem(again, Expected(404, "budget_not_found", "budget"))


async def test_what_belongs_to_no_account_is_not_found(faremeter: Installation) -> None:
    tenant, stranger = faremeter.tenant(), faremeter.tenant()
    nobody = "/v1/admin/accounts/acct_none"
    for path in ("/balance", "/balance/history", "/budgets/alerts", "/keys/key_none"):
        assert (await faremeter.http.get(nobody + path, headers=BASIC)).status_code == 404
    foreign = f"/v1/admin/accounts/{tenant.account_id}/keys/{stranger.key_id}"
    for path in ("", "/budgets"):
        assert (await faremeter.http.get(foreign + path, headers=BASIC)).status_code == 404
