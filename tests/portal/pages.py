"""Every page and form of the portal with a request that would succeed: the table of the matrix and of the screenshots."""

from dataclasses import dataclass, field
from typing import Any

from app.members.role import Permission

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

PAGES = [
    Page("GET", "/", PUBLIC),
    Page("GET", "/preferences", PUBLIC),
    Page("POST", "/preferences", PUBLIC, 303, {"language": "zh", "back": "/"}),
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
    Page("GET", "/operator/plans", OPERATOR_ONLY),
    Page("POST", "/operator/plans", OPERATOR_ONLY, 303, {"toml": PLAN}),
    Page("GET", "/operator/plans/{plan_key}", OPERATOR_ONLY),
    Page("GET", "/operator/invoice-runs", OPERATOR_ONLY),
    Page("POST", "/operator/invoice-runs", OPERATOR_ONLY, 200, {"month": "2026-02", "account": "{account_id}"}),
    Page("GET", "/operator/models", OPERATOR_ONLY),
    Page("GET", "/operator/mail", OPERATOR_ONLY),
    Page("GET", "/operator/audit-log", OPERATOR_ONLY),
]
