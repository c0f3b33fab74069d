"""Budgets over HTTP: set, listed, kept at the gate, and never loosened by the key that they bound."""

from typing import Any

import pytest

from app.accounts.account import Scope
from tests.api.calling import basic
from tests.api.installation import OPERATOR, ROW, Installation, Tenant, json_of
from tests.api.problems import Expected, assert_problem

FIELDS = {"id", "key", "measure", "window", "limit", "currency", "hard", "thresholds", "created_at"}
STATE = FIELDS | {"used", "held", "reset_at"}


async def put(faremeter: Installation, by: Tenant, key_id: str, kind: str, **body: Any) -> Any:
    answer = await faremeter.http.put(f"/v1/keys/{key_id}/budgets/{kind}", json=body, headers=by.headers)
    faremeter.poll_changes()  # until then a call that was not known to need the gate runs, and is refused unbilled
    return answer


async def put_for_account(faremeter: Installation, account_id: str, kind: str, **body: Any) -> Any:
    url = f"/v1/admin/accounts/{account_id}/budgets/{kind}"
    answer = await faremeter.http.put(url, json=body, headers=basic(*OPERATOR))
    faremeter.poll_changes()
    return answer


async def test_a_budget_of_a_key_is_set_listed_and_removed(faremeter: Installation) -> None:
    manager = faremeter.tenant()
    key = faremeter.another_key(manager.account_id)
    await faremeter.predict(key, [ROW] * 3)
    made = await put(faremeter, manager, key.key_id, "money/month", limit="10.00", thresholds=[100, 50])
    assert made.status_code == 200, made.text
    budget = json_of(made)
    assert budget.keys() == STATE
    assert (budget["key"], budget["measure"], budget["window"]) == (key.key_id, "money", "month")
    assert (budget["limit"], budget["used"], budget["held"], budget["currency"]) == ("10.00", "0.00003", "0.00", "USD")
    assert (budget["hard"], budget["thresholds"], budget["reset_at"]) == (True, [50, 100], "2026-04-01T00:00:00Z")
    quota = json_of(await put(faremeter, manager, key.key_id, "units/total", limit=1000, hard=False))
    assert (quota["limit"], quota["used"], quota["currency"], quota["reset_at"]) == (1000, 3, None, None)
    listed = json_of(await faremeter.http.get("/v1/budgets", headers=manager.headers))
    assert {each["id"]: each for each in listed["data"]} == {each["id"]: each for each in (budget, quota)}
    url = f"/v1/keys/{key.key_id}/budgets/money/month"
    removed = await faremeter.http.delete(url, headers=manager.headers)
    assert json_of(removed) == {name: budget[name] for name in FIELDS}
    again = await faremeter.http.delete(url, headers=manager.headers)
    assert_problem(again, Expected(404, "budget_not_found", "budget"))


async def test_budgets_are_listed_page_by_page(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    kinds = ("units/day", "units/month", "units/total")
    made = [json_of(await put_for_account(faremeter, tenant.account_id, kind, limit=5))["id"] for kind in kinds]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        query = {"limit": "2", "cursor": cursor}
        page = json_of(await faremeter.http.get("/v1/budgets", params=query, headers=tenant.headers))
        seen += [each["id"] for each in page["data"]]
        cursor = page["next_cursor"]
    assert sorted(seen) == sorted(made)


@pytest.mark.parametrize(
    ("kind", "body", "where"),
    [
        ("money/day", {"limit": 10}, "limit"),
        ("units/day", {"limit": "10"}, "limit"),
        ("units/day", {"limit": -1}, "limit"),
        ("units/day", {"limit": 10**18 + 1}, "limit"),
        ("units/day", {"limit": 5, "thresholds": [0]}, "thresholds"),
        ("units/day", {"limit": 5, "thresholds": [1001]}, "thresholds"),
    ],
)
async def test_a_budget_without_sense_is_refused(
    faremeter: Installation, kind: str, body: dict[str, Any], where: str
) -> None:
    tenant = faremeter.tenant()
    answer = await put(faremeter, tenant, faremeter.another_key(tenant.account_id).key_id, kind, **body)
    assert_problem(
        answer,
        Expected(400, "budget_invalid", where),
    )


@pytest.mark.parametrize("kind", ["euros/day", "money/week"])
async def test_an_unknown_measure_or_window_is_refused(faremeter: Installation, kind: str) -> None:
    tenant = faremeter.tenant()
    answer = await put(faremeter, tenant, tenant.key_id, kind, limit="1")
    assert answer.status_code == 400, answer.text


@pytest.mark.parametrize("limit", [1.5, True, None, [], "ten", "1e3"])
async def test_a_limit_is_a_decimal_string_or_a_whole_number(faremeter: Installation, limit: Any) -> None:
    tenant = faremeter.tenant()
    answer = await put(faremeter, tenant, tenant.key_id, "money/day", limit=limit)
    assert_problem(answer, Expected(400, "invalid", "limit"))


async def test_a_key_may_only_draw_its_own_bounds_tighter(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    tight = await put(faremeter, tenant, tenant.key_id, "units/day", limit=100)
    assert tight.status_code == 200
    for body, where in (
        ({"limit": 101}, "limit"),
        ({"limit": 99, "hard": False}, "hard"),
        ({"limit": 99, "thresholds": [100]}, "thresholds"),
    ):
        looser = await put(faremeter, tenant, tenant.key_id, "units/day", **body)
        assert_problem(looser, Expected(403, "budget_loosened", where))
    removing = await faremeter.http.delete(f"/v1/keys/{tenant.key_id}/budgets/units/day", headers=tenant.headers)
    assert_problem(removing, Expected(403, "budget_loosened"))
    another = faremeter.another_key(tenant.account_id)
    for attempt in (
        faremeter.http.post("/v1/keys", json={}, headers=tenant.headers),
        faremeter.http.post(f"/v1/keys/{another.key_id}/rotate", json={}, headers=tenant.headers),
    ):
        assert_problem(await attempt, Expected(403, "budget_loosened"))
    assert (await put(faremeter, another, tenant.key_id, "units/day", limit=101)).status_code == 200


async def test_the_successor_of_a_key_has_its_budgets_and_its_use(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    await put(faremeter, tenant, tenant.key_id, "units/day", limit=5)
    first = await faremeter.predict(tenant, [ROW] * 2)
    assert first.status_code == 200, first.text
    url = f"/v1/keys/{tenant.key_id}/rotate"
    made = json_of(await faremeter.http.post(url, json={"grace_s": 600}, headers=tenant.headers))
    successor = Tenant(tenant.account_id, made["id"], made["secret"])
    second = await faremeter.predict(successor, [ROW] * 2)
    assert second.status_code == 200, second.text
    for key in (tenant, successor):
        refused = await faremeter.predict(key, [ROW] * 2)
        body = assert_problem(refused, Expected(402, "quota_exceeded"))
        assert (body["limit"], body["limit_size"], body["used"]) == ("key_quota_day", 5, 4)
    looser = await put(faremeter, successor, tenant.key_id, "units/day", limit=6)
    assert_problem(looser, Expected(403, "budget_loosened", "limit"))
    assert (await faremeter.predict(successor)).status_code == 200


async def test_a_hard_budget_of_money_is_kept_and_a_soft_one_tells(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    await put_for_account(faremeter, tenant.account_id, "money/day", limit="0.00002")
    for kind in ("money/month", "money/total"):
        await put_for_account(faremeter, tenant.account_id, kind, limit="0.00001", hard=False)
    answers = [(await faremeter.predict(tenant)).status_code for _ in range(3)]
    assert answers == [200, 200, 402]
    states = json_of(await faremeter.http.get("/v1/budgets", headers=tenant.headers))["data"]
    assert {each["used"] for each in states} == {"0.00002"}
    alerts = json_of(await faremeter.http.get("/v1/budgets/alerts", headers=tenant.headers))
    told = {(each["window"], each["percent"], each["used"]) for each in alerts["data"]}
    assert told == {
        ("month", 80, "0.00001"),
        ("month", 100, "0.00001"),
        ("total", 80, "0.00001"),
        ("total", 100, "0.00001"),
        ("day", 80, "0.00002"),
        ("day", 100, "0.00002"),
    }
    starts = {(each["window"], each["window_start"]) for each in alerts["data"]}
    assert starts == {("month", "2026-03-01T00:00:00Z"), ("total", None), ("day", "2026-03-15T00:00:00Z")}
    assert alerts["next_cursor"] is None


async def test_money_cannot_be_bounded_where_the_plan_prices_time(faremeter: Installation) -> None:
    price = '[[price]]\nmodel = "*"\nmeter = "compute_ms"\nscheme = "per_unit"\nunit_price = "1"\n'
    faremeter.services.plans.publish(
        f'key = "by-the-clock"\ncurrency = "USD"\nbilling = "postpaid"\nbase_fee = "0"\n{price}'
    )
    tenant = faremeter.tenant("by-the-clock")
    answer = await put(faremeter, tenant, tenant.key_id, "money/day", limit="1")
    assert_problem(answer, Expected(409, "budget_unbounded", "measure"))
    assert (await put(faremeter, tenant, tenant.key_id, "units/day", limit=1)).status_code == 200


async def test_a_reader_of_usage_alone_sees_no_budget(faremeter: Installation) -> None:
    tenant = faremeter.tenant(scopes=frozenset({Scope.USAGE_READ}))
    assert_problem(await faremeter.http.get("/v1/budgets", headers=tenant.headers), Expected(403, "scope_missing"))
