"""Every route of the interface with a request that would succeed: the table of the authorization matrix."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from app.accounts.account import Scope
from tests.api.installation import ROW

# Who may call a route: anybody, a key with the scope, or an operator.
PUBLIC, OPERATOR_ONLY = "public", "operator"


@dataclass(frozen=True)
class Route:
    """One method of one path; `fill` turns the ids of an account into the path's parts."""

    method: str
    path: str
    needs: Scope | str
    status: int = 200
    request: dict[str, Any] = field(default_factory=dict)

    def url(self, ids: dict[str, str]) -> str:
        return self.path.format(**ids)


def predicting(path: str) -> Route:
    return Route("POST", path, Scope.PREDICT, 200, {"json": {"inputs": [ROW]}})


TOML = {"Content-Type": "application/toml"}
A_PLAN = 'key = "matrix"\ncurrency = "USD"\nbilling = "postpaid"\nbase_fee = "0"\n[[price]]\nmodel = "*"\n'
A_PLAN += 'meter = "units"\nscheme = "per_unit"\nunit_price = "1"\n'
ACCOUNT = "/v1/admin/accounts/{account_id}"
ROUTES = [
    Route("GET", "/livez", PUBLIC),
    Route("GET", "/readyz", PUBLIC),
    Route("GET", "/metrics", PUBLIC),
    Route("GET", "/openapi.json", PUBLIC),
    predicting("/v1/models/{model}/predict"),
    predicting("/v1/models/{model}/versions/{version}/predict"),
    Route("GET", "/v1/models", Scope.PREDICT),
    Route("GET", "/v1/models/{model}", Scope.PREDICT),
    Route("GET", "/v1/keys", Scope.KEYS_WRITE),
    Route("POST", "/v1/keys", Scope.KEYS_WRITE, 201, {"json": {"name": "matrix"}}),
    Route("GET", "/v1/keys/{key_id}", Scope.KEYS_WRITE),
    Route("POST", "/v1/keys/{key_id}/rotate", Scope.KEYS_WRITE, 201, {"json": {"grace_s": 600}}),
    Route("DELETE", "/v1/keys/{key_id}", Scope.KEYS_WRITE),
    Route("PUT", "/v1/keys/{key_id}/budgets/{measure}/{window}", Scope.KEYS_WRITE, 200, {"json": {"limit": 1000}}),
    Route("DELETE", "/v1/keys/{key_id}/budgets/{measure}/{window}", Scope.KEYS_WRITE),
    Route("GET", "/v1/keys/{key_id}/limits", Scope.KEYS_WRITE),
    Route("PUT", "/v1/keys/{key_id}/limits", Scope.KEYS_WRITE, 200, {"json": {"requests_per_minute": 1000}}),
    Route("GET", "/v1/usage", Scope.USAGE_READ),
    Route("GET", "/v1/usage/events", Scope.USAGE_READ),
    Route("GET", "/v1/usage/events.csv", Scope.USAGE_READ),
    Route("GET", "/v1/account", Scope.BILLING_READ),
    Route("GET", "/v1/plan", Scope.BILLING_READ),
    Route("GET", "/v1/balance", Scope.BILLING_READ),
    Route("GET", "/v1/balance/history", Scope.BILLING_READ),
    Route("GET", "/v1/credits", Scope.BILLING_READ),
    Route("GET", "/v1/budgets", Scope.BILLING_READ),
    Route("GET", "/v1/budgets/alerts", Scope.BILLING_READ),
    Route("GET", "/v1/invoices", Scope.BILLING_READ),
    Route("GET", "/v1/invoices/{invoice_id}", Scope.BILLING_READ),
    Route("GET", "/v1/invoices/{invoice_id}.csv", Scope.BILLING_READ),
    Route("GET", f"{ACCOUNT}/limits", OPERATOR_ONLY),
    Route("PUT", f"{ACCOUNT}/limits", OPERATOR_ONLY, 200, {"json": {"concurrency_max": 1000}}),
    Route("GET", f"{ACCOUNT}/keys/{{key_id}}/limits", OPERATOR_ONLY),
    Route("PUT", f"{ACCOUNT}/keys/{{key_id}}/limits", OPERATOR_ONLY, 200, {"json": {"units_per_minute": 1000}}),
    Route("GET", "/v1/admin/models/{model}/limits", OPERATOR_ONLY),
    Route("PUT", "/v1/admin/models/{model}/limits", OPERATOR_ONLY, 200, {"json": {}}),
    Route("POST", "/v1/admin/accounts", OPERATOR_ONLY, 201, {"json": {"name": "Matrix", "plan": "payg"}}),
    Route("GET", "/v1/admin/accounts", OPERATOR_ONLY),
    Route("GET", ACCOUNT, OPERATOR_ONLY),
    Route("PUT", ACCOUNT + "/plan", OPERATOR_ONLY, 200, {"json": {"plan": "payg"}}),
    Route("GET", ACCOUNT + "/keys", OPERATOR_ONLY),
    Route("POST", ACCOUNT + "/keys", OPERATOR_ONLY, 201, {"json": {}}),
    Route("GET", ACCOUNT + "/keys/{key_id}", OPERATOR_ONLY),
    Route("DELETE", ACCOUNT + "/keys/{key_id}", OPERATOR_ONLY),
    Route("GET", ACCOUNT + "/keys/{key_id}/budgets", OPERATOR_ONLY),
    Route("PUT", ACCOUNT + "/keys/{key_id}/budgets/{measure}/{window}", OPERATOR_ONLY, 200, {"json": {"limit": 1000}}),
    Route("DELETE", ACCOUNT + "/keys/{key_id}/budgets/{measure}/{window}", OPERATOR_ONLY),
    Route("GET", ACCOUNT + "/balance", OPERATOR_ONLY),
    Route("GET", ACCOUNT + "/balance/history", OPERATOR_ONLY),
    Route("GET", ACCOUNT + "/budgets/alerts", OPERATOR_ONLY),
    Route("GET", ACCOUNT + "/budgets", OPERATOR_ONLY),
    Route("PUT", ACCOUNT + "/budgets/{measure}/{window}", OPERATOR_ONLY, 200, {"json": {"limit": 1000}}),
    Route("DELETE", ACCOUNT + "/budgets/{measure}/{window}", OPERATOR_ONLY),
    Route("GET", ACCOUNT + "/credits", OPERATOR_ONLY),
    Route("POST", ACCOUNT + "/credits", OPERATOR_ONLY, 201, {"json": {"amount": "10.00"}}),
    Route("POST", ACCOUNT + "/credits/{grant_id}/refund", OPERATOR_ONLY, 201, {"json": {"amount": "0.01"}}),
    Route("POST", "/v1/admin/plans", OPERATOR_ONLY, 201, {"content": A_PLAN, "headers": TOML}),
    Route("GET", "/v1/admin/plans", OPERATOR_ONLY),
    Route("GET", "/v1/admin/economics", OPERATOR_ONLY),
    Route("GET", "/v1/admin/audit-log", OPERATOR_ONLY),
    Route("GET", "/v1/admin/audit", OPERATOR_ONLY),
    Route(
        "POST", "/v1/admin/invoice-runs", OPERATOR_ONLY, 200, {"json": {"month": "2026-03", "account": "{account_id}"}}
    ),
]


def routes_that(condition: Callable[[Route], bool]) -> list[Route]:
    return [route for route in ROUTES if condition(route)]
