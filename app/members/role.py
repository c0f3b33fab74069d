"""What a member may do in an account."""

from enum import StrEnum

from app.errors import Forbidden, Invalid


class Permission(StrEnum):
    """One thing to do in an account."""

    USAGE_READ = "usage_read"
    KEYS_READ = "keys_read"
    KEYS_WRITE = "keys_write"
    PREDICT = "predict"
    BILLING_READ = "billing_read"
    BUDGETS_WRITE = "budgets_write"
    MEMBERS_READ = "members_read"
    MEMBERS_WRITE = "members_write"
    ACCOUNT_WRITE = "account_write"
    AUDIT_READ = "audit_read"


class Role(StrEnum):
    """What a person is to an account."""

    OWNER = "owner"
    DEVELOPER = "developer"
    BILLING = "billing"
    VIEWER = "viewer"


class RoleMissing(Forbidden):
    """The person belongs to the account, in a role that does not allow this."""

    code = "role_missing"


class RoleUnknown(Invalid):
    """There is no role of that name."""

    code = "role_unknown"


_SEEING = frozenset({Permission.USAGE_READ, Permission.KEYS_READ, Permission.MEMBERS_READ})
_PERMISSIONS = {
    Role.VIEWER: _SEEING,
    Role.DEVELOPER: _SEEING | {Permission.KEYS_WRITE, Permission.PREDICT},
    Role.BILLING: _SEEING | {Permission.BILLING_READ, Permission.BUDGETS_WRITE},
    Role.OWNER: frozenset(Permission),
}


def permissions_of(role: Role) -> frozenset[Permission]:
    """Return what a role allows."""
    return _PERMISSIONS[role]


def parse_role(name: str) -> Role:
    """Return the role of that name. Raises RoleUnknown."""
    try:
        return Role(name)
    except ValueError:
        raise RoleUnknown(f"{name!r} is no role", where="role", hint=f"choose from: {', '.join(Role)}") from None
