"""Credit over HTTP: /v1/balance, its history, /v1/credits, and what operators do under /v1/admin."""

from typing import Any

import pytest

from tests.api.installation import OPERATOR, Installation, Tenant, json_of
from tests.api.problems import Expected, assert_problem


def admin_path(tenant: Tenant) -> str:
    return f"/v1/admin/accounts/{tenant.account_id}/credits"


async def give(faremeter: Installation, tenant: Tenant, key: str | None = None, **body: Any) -> Any:
    headers = {"Idempotency-Key": key} if key else {}
    return await faremeter.http.post(
        admin_path(tenant), json={"amount": "10.00", **body}, auth=OPERATOR, headers=headers
    )


async def get(faremeter: Installation, tenant: Tenant, path: str) -> Any:
    return json_of(await faremeter.http.get(path, headers=tenant.headers))


async def test_a_grant_shows_in_the_balance_the_list_and_the_history(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    assert await get(faremeter, tenant, "/v1/balance") == {
        "currency": "USD",
        "available": "0.00",
        "held": "0.00",
        "total": "0.00",
        "as_of": "2026-03-15T12:00:00Z",
    }
    response = await give(faremeter, tenant, note="Order 7", expires_at="2027-01-01T01:00:00+01:00")
    assert response.status_code == 201
    grant = response.json()
    assert grant == {
        "id": grant["id"],
        "kind": "paid",
        "currency": "USD",
        "amount": "10.00",
        "remaining": "10.00",
        "used": "0.00",
        "refunded": "0.00",
        "expired": "0.00",
        "priority": 50,
        "expires_at": "2027-01-01T00:00:00Z",
        "note": "Order 7",
        "created_at": "2026-03-15T12:00:00Z",
    }
    assert (await get(faremeter, tenant, "/v1/balance"))["available"] == "10.00"
    assert await get(faremeter, tenant, "/v1/credits") == {"data": [grant], "next_cursor": None}
    assert json_of(await faremeter.http.get(admin_path(tenant), auth=OPERATOR))["data"] == [grant]
    (movement,) = (await get(faremeter, tenant, "/v1/balance/history"))["data"]
    assert (movement["kind"], movement["grant"]) == ("grant", grant["id"])
    assert (movement["amount"], movement["balance"], movement["currency"]) == ("10.00", "10.00", "USD")
    assert (movement["period_start"], movement["period_end"]) == (None, None)


async def test_a_repeat_under_the_same_key_gives_nothing_more_and_says_the_same(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    first = await give(faremeter, tenant, "order-1")
    path = f"{admin_path(tenant)}/{first.json()['id']}/refund"
    back: dict[str, Any] = {"json": {"amount": "4"}, "auth": OPERATOR, "headers": {"Idempotency-Key": "back-1"}}
    refunds = [await faremeter.http.post(path, **back) for _ in range(2)]
    again = await give(faremeter, tenant, "order-1")
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, first.content)
    assert refunds[0].content == refunds[1].content
    assert refunds[0].json()["amount"] == "4.00"
    assert (await get(faremeter, tenant, "/v1/balance"))["available"] == "6.00"
    other = await give(faremeter, tenant, "order-1", amount="11.00")
    assert_problem(other, Expected(422, "idempotency_key_reused", other.json().get("where")))


async def test_lists_are_read_page_by_page(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    made = sorted([(await give(faremeter, tenant)).json()["id"] for _ in range(3)], reverse=True)
    for path, name in (("/v1/credits", "id"), ("/v1/balance/history", "grant")):
        first = await get(faremeter, tenant, f"{path}?limit=2")
        rest = await get(faremeter, tenant, f"{path}?limit=2&cursor={first['next_cursor']}")
        assert sorted((each[name] for each in first["data"] + rest["data"]), reverse=True) == made
        assert (len(first["data"]), rest["next_cursor"]) == (2, None)


@pytest.mark.parametrize(
    ("body", "expected"),
    [
        ({"amount": "0"}, Expected(400, "credit_invalid", "amount")),
        ({"amount": "-1"}, Expected(400, "invalid", "amount")),
        ({"amount": "1e3"}, Expected(400, "invalid", "amount")),
        ({"amount": "0.0000000001"}, Expected(400, "invalid", "amount")),
        ({"amount": 10.5}, Expected(400, "invalid", "amount")),
        ({"kind": "borrowed"}, Expected(400, "invalid", "kind")),
        ({"priority": 101}, Expected(400, "credit_invalid", "priority")),
        ({"expires_at": "2026-03-15T12:00:00Z"}, Expected(400, "credit_expiry_past", "expires_at")),
        ({"expires_at": "2027-01-01T00:00:00"}, Expected(400, "invalid", "expires_at")),
        ({"currency": "EUR"}, Expected(400, "invalid", "currency")),
    ],
    ids=str,
)
async def test_credit_that_makes_no_sense_is_refused(
    faremeter: Installation, body: dict[str, Any], expected: Expected
) -> None:
    tenant = faremeter.tenant()
    assert_problem(await give(faremeter, tenant, **body), expected)
    assert (await get(faremeter, tenant, "/v1/credits"))["data"] == []


async def test_no_more_is_paid_back_than_is_left(faremeter: Installation) -> None:
    tenant, stranger = faremeter.tenant(), faremeter.tenant()
    grant = (await give(faremeter, tenant)).json()["id"]
    too_much = await faremeter.http.post(f"{admin_path(tenant)}/{grant}/refund", json={"amount": "11"}, auth=OPERATOR)
    problem = assert_problem(too_much, Expected(409, "refund_too_large", "amount"))
    assert (problem["refundable"], problem["currency"]) == ("10.00", "USD")
    foreign = await faremeter.http.post(f"{admin_path(stranger)}/{grant}/refund", json={}, auth=OPERATOR)
    assert_problem(foreign, Expected(404, "not_found", "grant", hint=False))
    given = (await give(faremeter, tenant, kind="promotional")).json()["id"]
    refused = await faremeter.http.post(f"{admin_path(tenant)}/{given}/refund", json={}, auth=OPERATOR)
    assert_problem(refused, Expected(409, "grant_not_refundable"))
