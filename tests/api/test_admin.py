"""/v1/admin: accounts, plans, keys and invoice runs, by operators."""

import json
from typing import Any

import pytest

from tests.api.installation import OPERATOR, Installation, json_of
from tests.api.problems import Expected, assert_problem

ACCOUNTS = "/v1/admin/accounts"
PLANS = "/v1/admin/plans"
RUNS = "/v1/admin/invoice-runs"
TOML = {"Content-Type": "application/toml"}


def plan_file(key: str, price: str = "1", currency: str = "USD") -> str:
    return (
        f'key = "{key}"\ncurrency = "{currency}"\nbilling = "postpaid"\nbase_fee = "0"\n'
        f'[[price]]\nmodel = "*"\nmeter = "units"\nscheme = "per_unit"\nunit_price = "{price}"\n'
    )


async def post(faremeter: Installation, path: str, body: Any, status: int = 201) -> Any:
    response = await faremeter.http.post(path, json=body, auth=OPERATOR)
    assert response.status_code == status, response.text
    return response.json()


async def test_an_account_is_opened_and_makes_its_first_call(faremeter: Installation) -> None:
    wanted = {"name": " Ada & Söhne ", "currency": "USD", "zone": "Europe/Berlin", "anchor_day": 31, "plan": "payg"}
    account = await post(faremeter, ACCOUNTS, wanted)
    assert (account["name"], account["zone"], account["anchor_day"]) == ("Ada & Söhne", "Europe/Berlin", 31)
    path = f"{ACCOUNTS}/{account['id']}"
    assert json_of(await faremeter.http.get(path, auth=OPERATOR)) == account
    key = await post(faremeter, f"{path}/keys", {"name": "first"})
    assert key["scopes"] == ["billing:read", "predict", "usage:read"]
    call = await faremeter.http.post(
        "/v1/models/linear/predict", json={"inputs": [[0] * 10]}, headers={"X-API-Key": key["secret"]}
    )
    assert call.status_code == 200
    listed = json_of(await faremeter.http.get(f"{path}/keys", auth=OPERATOR))["data"]
    assert [each["id"] for each in listed] == [key["id"]]
    assert "secret" not in listed[0]
    revoked = json_of(await faremeter.http.delete(f"{path}/keys/{key['id']}", auth=OPERATOR))
    assert revoked["revoked_at"]


async def test_accounts_are_listed_page_by_page(faremeter: Installation) -> None:
    made = [(await post(faremeter, ACCOUNTS, {"name": f"Page {number}"}))["id"] for number in range(3)]
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = json_of(await faremeter.http.get(f"{ACCOUNTS}?limit=2&cursor={cursor}", auth=OPERATOR))
        seen += [account["id"] for account in page["data"]]
        cursor = page["next_cursor"]
    assert set(made) <= set(seen)
    assert seen == sorted(set(seen))


async def test_a_plan_takes_effect_at_once_and_stays_frozen(faremeter: Installation) -> None:
    body = plan_file("frozen").encode()
    first = await faremeter.http.post(PLANS, content=body, headers=TOML, auth=OPERATOR)
    again = await faremeter.http.post(PLANS, content=body, headers=TOML, auth=OPERATOR)
    assert (first.status_code, json_of(again)["id"]) == (201, json_of(first)["id"])
    account = await post(faremeter, ACCOUNTS, {"name": "On it", "plan": "frozen"})
    tenant = faremeter.another_key(account["id"])
    assert (await faremeter.predict(tenant)).headers["faremeter-amount"] == "1.00"
    dearer = plan_file("frozen", "2").encode()
    second = await faremeter.http.post(PLANS, content=dearer, headers=TOML, auth=OPERATOR)
    assert json_of(second)["version"] == 2
    faremeter.poll_changes()
    assert (await faremeter.predict(tenant)).headers["faremeter-amount"] == "2.00"
    listed = json_of(await faremeter.http.get(PLANS, auth=OPERATOR))["data"]
    assert [plan["version"] for plan in listed if plan["key"] == "frozen"] == [2]


async def test_an_assignment_takes_effect_at_the_next_poll(faremeter: Installation) -> None:
    tenant = faremeter.tenant(plan=None)
    assert (await faremeter.predict(tenant)).status_code == 402
    path = f"{ACCOUNTS}/{tenant.account_id}/plan"
    assigned = json_of(await faremeter.http.put(path, json={"plan": "payg"}, auth=OPERATOR))
    assert assigned == {"account": tenant.account_id, "plan": "payg", "starts_at": "2026-03-15T12:00:00Z"}
    faremeter.poll_changes()
    assert (await faremeter.predict(tenant)).status_code == 200
    later = {"plan": "digits-only", "starts_at": "2026-03-15T14:00:00+01:00"}
    assigned = json_of(await faremeter.http.put(path, json=later, auth=OPERATOR))
    assert assigned["starts_at"] == "2026-03-15T13:00:00Z"
    faremeter.poll_changes()
    assert (await faremeter.predict(tenant)).status_code == 200  # not yet


async def test_a_run_reports_each_account_and_may_be_repeated(faremeter: Installation) -> None:
    tenant, idle = faremeter.tenant(), faremeter.tenant()
    await faremeter.predict(tenant)
    results = []
    for account in (tenant.account_id, tenant.account_id, idle.account_id):
        report = await post(faremeter, RUNS, {"month": "2026-03", "account": account}, status=200)
        (outcome,) = report["accounts"]
        assert (report["month"], outcome["account"], outcome["error"]) == ("2026-03", account, None)
        results.append(outcome["result"])
    assert results == ["draft", "draft", "nothing_owed"]


BAD_POSTS: dict[str, tuple[str, dict[str, Any], Expected]] = {
    "no name": (ACCOUNTS, {}, Expected(400, "invalid", "name")),
    "a name of two lines": (ACCOUNTS, {"name": "a\nb"}, Expected(400, "invalid", "name")),
    "a lone surrogate": (ACCOUNTS, {"name": "\ud800"}, Expected(400, "invalid", "name")),
    "an id of one's own": (ACCOUNTS, {"name": "x", "id": "acct_1"}, Expected(400, "invalid", "id")),
    "a balance": (ACCOUNTS, {"name": "x", "balance": "100"}, Expected(400, "invalid", "balance")),
    "books closed": (ACCOUNTS, {"name": "x", "closed_through": None}, Expected(400, "invalid", "closed_through")),
    "no currency": (ACCOUNTS, {"name": "x", "currency": "dollar"}, Expected(400, "invalid", "currency")),
    "no zone": (ACCOUNTS, {"name": "x", "zone": "Nowhere"}, Expected(400, "zone_unknown", "zone")),
    "the 32nd": (ACCOUNTS, {"name": "x", "anchor_day": 32}, Expected(400, "invalid", "anchor_day")),
    "an unknown plan": (ACCOUNTS, {"name": "x", "plan": "nope"}, Expected(404, "plan_not_found", "plan")),
    "a plan with NUL": (ACCOUNTS, {"name": "x", "plan": "\0"}, Expected(400, "invalid", "plan")),
    "another currency": (
        ACCOUNTS,
        {"name": "x", "currency": "EUR", "plan": "payg"},
        Expected(400, "plan_of_other_currency", "plan"),
    ),
    "no month": (RUNS, {"month": "March"}, Expected(400, "month_invalid", "month")),
    "an account with NUL": (RUNS, {"month": "2026-03", "account": "\0"}, Expected(400, "invalid", "account")),
}


@pytest.mark.parametrize(("path", "body", "expected"), BAD_POSTS.values(), ids=BAD_POSTS)
async def test_a_bad_body_changes_nothing(
    faremeter: Installation, path: str, body: dict[str, Any], expected: Expected
) -> None:
    before = len(faremeter.services.accounts.list_accounts())
    content, headers = json.dumps(body).encode(), {"Content-Type": "application/json"}
    response = await faremeter.http.post(path, content=content, headers=headers, auth=OPERATOR)
    assert_problem(response, expected)
    assert len(faremeter.services.accounts.list_accounts()) == before


BAD_PLANS: dict[str, tuple[bytes, str]] = {
    "no TOML": (b"key = ", "plan file"),
    "nothing": (b"", "body"),
    "bytes that are not UTF-8": (b"\xff\xfe", "body"),
    "a float as a price": (plan_file("bad").replace('"1"', "1.0").encode(), "price[0].unit_price"),
    "an unknown field": (plan_file("bad").encode() + b'colour = "red"\n', "price[0].colour"),
    "a plan for the next version": (plan_file("bad").replace("per_unit", "volume").encode(), "price[0].scheme"),
}


@pytest.mark.parametrize(("body", "where"), BAD_PLANS.values(), ids=BAD_PLANS)
async def test_a_bad_plan_is_not_published(faremeter: Installation, body: bytes, where: str) -> None:
    response = await faremeter.http.post(PLANS, content=body, headers=TOML, auth=OPERATOR)
    assert_problem(response, Expected(400, "invalid", where))
    assert "bad" not in {plan.plan_key for plan in faremeter.services.plans.list()}


async def test_what_contradicts_the_books_is_a_conflict(faremeter: Installation) -> None:
    body = plan_file("payg", currency="EUR").encode()
    response = await faremeter.http.post(PLANS, content=body, headers=TOML, auth=OPERATOR)
    assert_problem(response, Expected(409, "currency_mismatch", "currency"))
    euros = await post(faremeter, ACCOUNTS, {"name": "Euro", "currency": "EUR"})
    path = f"{ACCOUNTS}/{euros['id']}/plan"
    response = await faremeter.http.put(path, json={"plan": "payg"}, auth=OPERATOR)
    assert_problem(response, Expected(409, "currency_mismatch", "plan"))


@pytest.mark.parametrize(
    ("starts_at", "code"),
    [
        ("2020-01-01T00:00:00Z", "plan_starts_in_past"),
        ("2026-03-16T00:00:00", "invalid"),
        ("9999-12-31T23:59:59-23:59", "invalid"),
        ("tomorrow", "invalid"),
    ],
)
async def test_a_plan_starts_now_or_later(faremeter: Installation, starts_at: str, code: str) -> None:
    path = f"{ACCOUNTS}/{faremeter.tenant().account_id}/plan"
    body = {"plan": "tiered", "starts_at": starts_at}
    response = await faremeter.http.put(path, json=body, auth=OPERATOR)
    assert_problem(response, Expected(400, code, "starts_at"))


@pytest.mark.parametrize("path", [f"{ACCOUNTS}/acct_0", f"{ACCOUNTS}/acct_0/keys"])
async def test_an_account_that_nobody_opened_is_not_found(faremeter: Installation, path: str) -> None:
    response = await faremeter.http.get(path, auth=OPERATOR)
    assert_problem(response, Expected(404, "not_found", "account", hint=False))


async def test_the_scope_admin_is_not_given_over_http(faremeter: Installation) -> None:
    path = f"{ACCOUNTS}/{faremeter.tenant().account_id}/keys"
    response = await faremeter.http.post(path, json={"scopes": ["admin"]}, auth=OPERATOR)
    assert_problem(response, Expected(400, "invalid", "scopes"))


async def test_guessing_passwords_is_slowed_down(faremeter: Installation) -> None:
    faremeter.forget_wrong_passwords()
    for _ in range(5):
        response = await faremeter.http.get(PLANS, auth=("guess@example.test", "wrong"))
        assert_problem(response, Expected(401, "wrong_credentials"))
    response = await faremeter.http.get(PLANS, auth=("GUESS@example.test ", "wrong"))
    assert_problem(response, Expected(429, "too_many_attempts"))
    assert response.headers["retry-after"] == "15"
    assert (await faremeter.http.get(PLANS, auth=OPERATOR)).status_code == 200
    faremeter.forget_wrong_passwords()


@pytest.mark.parametrize("email", ["", "a\0b", "\ud7ff", "x" * 5000, "' OR 1=1 --"])
async def test_an_odd_address_is_nobody(faremeter: Installation, email: str) -> None:
    response = await faremeter.http.get(PLANS, auth=(email.encode(), OPERATOR[1]))
    assert_problem(response, Expected(401, "wrong_credentials"))
