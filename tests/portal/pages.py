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


PAGES = [
    Page("GET", "/", PUBLIC),
    Page("GET", "/preferences", PUBLIC),
    Page("POST", "/preferences", PUBLIC, 303, {"language": "zh", "back": "/"}),
]
