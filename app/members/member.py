"""A person in an account, seen from either side, and one who was asked to join."""

from dataclasses import dataclass
from datetime import datetime

from app.accounts.account import Account, User
from app.members.role import Permission, Role, RoleMissing, permissions_of


@dataclass(frozen=True, slots=True)
class Membership:
    """An account that a user belongs to."""

    account: Account
    role: Role

    def allows(self, permission: Permission) -> bool:
        """Tell whether the role allows it."""
        return permission in permissions_of(self.role)

    def require(self, permission: Permission) -> None:
        """Raise RoleMissing where the role does not allow it."""
        if not self.allows(permission):
            raise RoleMissing(
                f"the role {self.role} does not allow {permission}", hint="ask an owner of the account for another role"
            )


@dataclass(frozen=True, slots=True)
class Member:
    """A user who belongs to an account."""

    user: User
    role: Role
    since: datetime


@dataclass(frozen=True, slots=True)
class Invitation:
    """Somebody was asked to join an account and has not answered yet."""

    id: str
    email: str
    role: Role
    created_at: datetime
    expires_at: datetime


@dataclass(frozen=True, slots=True)
class Joined:
    """A person has entered an account, which was opened for it where `new_account`."""

    user: User
    account_id: str
    new_account: bool
