"""Which scopes a member may put into a key: nobody reaches through a key what the own role keeps closed."""

from collections.abc import Mapping

from app.accounts.account import Scope
from app.errors import Forbidden
from app.members.role import Permission, Role, permissions_of

_NEEDS: Mapping[Scope, Permission] = {
    Scope.PREDICT: Permission.PREDICT,
    Scope.USAGE_READ: Permission.USAGE_READ,
    Scope.BILLING_READ: Permission.BILLING_READ,
    Scope.KEYS_WRITE: Permission.KEYS_WRITE,
}


class ScopeBeyondRole(Forbidden):
    """A key would do more than the member who asks for it."""

    code = "scope_beyond_role"


def scopes_of(role: Role) -> frozenset[Scope]:
    """Return what the keys of a member of that role may do; `admin` is not the account's to give."""
    return frozenset(scope for scope, permission in _NEEDS.items() if permission in permissions_of(role))


def require_scopes(role: Role, scopes: frozenset[Scope]) -> None:
    """Raise ScopeBeyondRole where a new secret could do more than the member who gets to see it."""
    if beyond := scopes - scopes_of(role):
        raise ScopeBeyondRole(
            f"the role {role} does not include {', '.join(sorted(beyond))}",
            where="scopes",
            hint="ask an owner of the account",
        )
