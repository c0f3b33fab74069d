"""Every page and form with a request that would succeed: the table of the matrix and of the screenshots."""

from dataclasses import dataclass, field
from typing import Any

from app.members.role import Permission
from tests.api.installation import OPERATOR, ROW
from tests.portal.visitors import PASSWORD

# Who may see a page besides members with a permission: anybody, whoever signed in, an operator.
PUBLIC, SIGNED_IN, OPERATOR_ONLY = "public", "signed in", "operator"


@dataclass(frozen=True)
class Page:
    """One method of one path. `form` and `query` may hold `{account_id}` and the like, as the path does."""

    method: str
    path: str
    needs: Permission | str
    status: int = 200
    form: dict[str, Any] = field(default_factory=dict)
    files: dict[str, Any] = field(default_factory=dict)
    query: str = ""


PLAN = """\
key = "matrix"
currency = "USD"
billing = "postpaid"
base_fee = "0"
[[price]]
model = "*"
meter = "units"
scheme = "per_unit"
unit_price = "0"
"""

ROWS = ", ".join(map(str, ROW))

PAGES = [
    Page("GET", "/", PUBLIC),
    Page("GET", "/docs", PUBLIC),
    Page("GET", "/preferences", PUBLIC),
    Page("POST", "/preferences", PUBLIC, 303, {"language": "zh", "back": "/"}),
    # People.
    Page("GET", "/login", PUBLIC),
    Page("POST", "/login", PUBLIC, 303, {"email": OPERATOR[0], "password": OPERATOR[1]}),
    Page("POST", "/logout", PUBLIC, 303),
    Page("GET", "/login/oidc", PUBLIC, 401),  # this installation has no provider
    Page("GET", "/login/callback", PUBLIC, 401),
    Page("GET", "/signup", PUBLIC),
    Page("POST", "/signup", PUBLIC, 303, {"email": "{email}", "account": "Matrix"}),
    Page("GET", "/join/{token}", PUBLIC),
    Page("POST", "/join/{token}", PUBLIC, 303, {"password": PASSWORD}),
    Page("GET", "/forgot", PUBLIC),
    Page("POST", "/forgot", PUBLIC, 303, {"email": "{email}"}),
    Page("GET", "/reset/{token}", PUBLIC),
    Page("POST", "/reset/{token}", PUBLIC, 303, {"password": PASSWORD}),
    Page("GET", "/confirm-email/{token}", SIGNED_IN),
    Page("POST", "/confirm-email/{token}", SIGNED_IN, 303),
    Page("GET", "/app/profile", SIGNED_IN),
    Page("POST", "/app/profile/email", SIGNED_IN, 303, {"email": "{email}", "password": "{password}"}),
    Page("POST", "/app/profile/password", SIGNED_IN, 303, {"old": "{password}", "new": "{password}"}),
    Page("POST", "/app/profile/identities", SIGNED_IN, 401, {"password": "{password}"}),  # there is no provider
    Page("POST", "/app/profile/identities/end", SIGNED_IN, 404, {"issuer": "https://provider.example"}),
    Page("POST", "/app/profile/sessions/revoke-others", SIGNED_IN, 303),
    Page("POST", "/app/profile/sessions/{session_id}/revoke", SIGNED_IN, 303),
    Page("POST", "/app/switch", SIGNED_IN, 303, {"account": "{account_id}"}),
    Page("GET", "/app/members", Permission.MEMBERS_READ),
    Page("POST", "/app/members/invite", Permission.MEMBERS_WRITE, 303, {"email": "{email}", "role": "viewer"}),
    Page("POST", "/app/members/invitations/{invitation_id}/cancel", Permission.MEMBERS_WRITE, 303),
    Page("POST", "/app/members/{user_id}/role", Permission.MEMBERS_WRITE, 303, {"role": "viewer"}),
    Page("POST", "/app/members/{user_id}/remove", Permission.MEMBERS_WRITE, 303),
    Page("GET", "/app/settings", Permission.ACCOUNT_WRITE),
    Page("POST", "/app/settings", Permission.ACCOUNT_WRITE, 303, {"name": "Renamed"}),
    Page("GET", "/app/audit-log", Permission.AUDIT_READ),
    # Money.
    Page("GET", "/app", Permission.USAGE_READ),
    Page("GET", "/app/keys", Permission.KEYS_READ),
    Page("GET", "/app/keys/new", Permission.KEYS_WRITE),
    Page(
        "POST",
        "/app/keys",
        Permission.KEYS_WRITE,
        201,
        {"name": "Matrix", "scopes": ["predict"], "models": ["linear"]},
    ),
    Page("GET", "/app/keys/{key_id}", Permission.KEYS_READ),
    Page("POST", "/app/keys/{key_id}/rotate", Permission.KEYS_WRITE, 201, {"grace_s": "3600"}),
    Page("POST", "/app/keys/{key_id}/revoke", Permission.KEYS_WRITE, 303, {"confirmed": "yes"}),
    Page("GET", "/app/usage", Permission.USAGE_READ),
    Page("GET", "/app/usage.csv", Permission.USAGE_READ),
    Page("GET", "/app/usage/events.csv", Permission.USAGE_READ),
    Page(
        "POST",
        "/app/keys/{key_id}/budgets",
        Permission.KEYS_WRITE,
        303,
        {"measure": "units", "window": "total", "limit": "1000000", "reached": "tell"},
    ),
    Page("POST", "/app/keys/{key_id}/budgets/{key_budget_id}/remove", Permission.KEYS_WRITE, 303),
    Page("POST", "/app/keys/{key_id}/limits", Permission.KEYS_WRITE, 303, {"requests_per_minute": "1000000"}),
    Page("GET", "/app/budgets", Permission.USAGE_READ),
    Page(
        "POST",
        "/app/budgets",
        Permission.BUDGETS_WRITE,
        303,
        {"measure": "units", "window": "total", "limit": "1000000", "reached": "tell"},
    ),
    Page("POST", "/app/budgets/{budget_id}/remove", Permission.BUDGETS_WRITE, 303),
    Page("GET", "/app/balance", Permission.BILLING_READ),
    Page("GET", "/app/balance.csv", Permission.BILLING_READ),
    Page("GET", "/app/invoices", Permission.BILLING_READ),
    Page("GET", "/app/invoices/{invoice_id}", Permission.BILLING_READ),
    Page("GET", "/app/invoices/{invoice_id}.csv", Permission.BILLING_READ),
    # Playground.
    Page("GET", "/app/welcome", Permission.KEYS_WRITE),
    Page("POST", "/app/welcome", Permission.KEYS_WRITE),
    Page("GET", "/app/playground", Permission.PREDICT),
    Page("GET", "/app/playground/{model}", Permission.PREDICT),
    Page(
        "POST",
        "/app/models/{model}/predict",
        Permission.PREDICT,
        200,
        {"mode": "test", "idempotency_key": "{idempotency_key}", "rows": ROWS},
    ),
    # Operators.
    Page("GET", "/operator", OPERATOR_ONLY),
    Page("GET", "/operator/accounts", OPERATOR_ONLY),
    Page("GET", "/operator/accounts/new", OPERATOR_ONLY),
    Page("POST", "/operator/accounts", OPERATOR_ONLY, 303, {"name": "Matrix", "plan": "payg"}),
    Page("GET", "/operator/accounts/{account_id}", OPERATOR_ONLY),
    Page("POST", "/operator/accounts/{account_id}/plan", OPERATOR_ONLY, 303, {"plan": "payg"}),
    Page(
        "POST",
        "/operator/accounts/{account_id}/invitations",
        OPERATOR_ONLY,
        303,
        {"email": "matrix-owner@example.test"},
    ),
    Page("POST", "/operator/accounts/{account_id}/keys/{key_id}/revoke", OPERATOR_ONLY, 303),
    Page("GET", "/operator/accounts/{account_id}/credit", OPERATOR_ONLY),
    Page("POST", "/operator/accounts/{account_id}/credit", OPERATOR_ONLY, 303, {"amount": "10.00"}),
    Page(
        "POST",
        "/operator/accounts/{account_id}/credit/{grant_id}/refund",
        OPERATOR_ONLY,
        303,
        {"amount": "0.01"},
    ),
    Page("GET", "/operator/accounts/{account_id}/bounds", OPERATOR_ONLY),
    Page(
        "POST",
        "/operator/accounts/{account_id}/budgets",
        OPERATOR_ONLY,
        303,
        {"measure": "units", "window": "total", "limit": "1000000", "reached": "tell"},
    ),
    Page("POST", "/operator/accounts/{account_id}/budgets/{budget_id}/remove", OPERATOR_ONLY, 303),
    Page("POST", "/operator/accounts/{account_id}/limits", OPERATOR_ONLY, 303, {"requests_per_minute": "1000000"}),
    Page("GET", "/operator/plans", OPERATOR_ONLY),
    Page("POST", "/operator/plans", OPERATOR_ONLY, 303, {"toml": PLAN}),
    Page("GET", "/operator/plans/{plan_key}", OPERATOR_ONLY),
    Page("GET", "/operator/invoice-runs", OPERATOR_ONLY),
    Page("POST", "/operator/invoice-runs", OPERATOR_ONLY, 200, {"month": "2026-02", "account": "{account_id}"}),
    Page("GET", "/operator/models", OPERATOR_ONLY),
    Page("POST", "/operator/models/{model}/limits", OPERATOR_ONLY, 303, {"units_per_minute": "1000000000"}),
    Page("GET", "/operator/audit", OPERATOR_ONLY),
    Page("POST", "/operator/audit", OPERATOR_ONLY),
    Page("GET", "/operator/mail", OPERATOR_ONLY),
    Page("POST", "/operator/mail/{mail_name}", OPERATOR_ONLY),
    Page("GET", "/operator/audit-log", OPERATOR_ONLY),
]
