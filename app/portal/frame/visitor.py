"""Who looks at a page, and what its signature asks for: a visitor, a member with a permission, an operator."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, cast

from fastapi import Depends, Request

from app.accounts.account import Account, User
from app.audit_log.actor import Actor, ActorKind
from app.bootstrap import Services
from app.errors import AppError, Forbidden, Kind
from app.members.member import Membership
from app.members.role import Permission, Role, RoleMissing, permissions_of
from app.members.session import Visit
from app.portal.frame.preferences import Preferences


class SignInNeeded(AppError):
    """The page is for people who signed in. `page_route` sends browsers to the sign-in page and back."""

    kind = Kind.UNAUTHENTICATED
    code = "sign_in_needed"


class NoAccount(Forbidden):
    """The user is a member of no account."""

    code = "no_account"


class OperatorsOnly(Forbidden):
    """The page is for those who run the installation."""

    code = "operators_only"


@dataclass(frozen=True, slots=True)
class Visitor:
    """A browser at a page: `visit` is None before signing in, `account_id` the account that it looked at last."""

    preferences: Preferences
    csrf_token: str
    address: str
    account_id: str | None
    visit: Visit | None = None

    @property
    def user(self) -> User | None:
        return self.visit.user if self.visit else None

    @property
    def memberships(self) -> tuple[Membership, ...]:
        return tuple(self.visit.memberships) if self.visit else ()

    @property
    def membership(self) -> Membership | None:
        """The account looked at: the chosen one, while the user is a member of it, else the first."""
        chosen = (each for each in self.memberships if each.account.id == self.account_id)
        return next(chosen, self.memberships[0] if self.memberships else None)

    def may(self, permission: str) -> bool:
        """Tell whether the visitor has a permission in the account: what templates show links by."""
        return self.membership is not None and Permission(permission) in permissions_of(self.membership.role)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody who signed in."""

    visitor: Visitor
    visit: Visit

    @property
    def user(self) -> User:
        return self.visit.user

    @property
    def actor(self) -> Actor:
        return Actor(ActorKind.USER, self.user.id, self.visitor.address)


@dataclass(frozen=True, slots=True)
class Caller(Person):
    """A member at work in an account."""

    account: Account
    role: Role


def visitor_of(request: Request) -> Visitor:
    """Return who looks: `page_route` has found out before anything else."""
    return cast("Visitor", request.state.visitor)


def services_of(request: Request) -> Services:
    """Return the collaborators that `main.py` put on the application."""
    return cast("Services", request.app.state.services)


def person_of(request: Request) -> Person:
    """Return who signed in. Raises SignInNeeded."""
    visitor = visitor_of(request)
    if visitor.visit is None:
        raise SignInNeeded("this page is for people who signed in", hint="sign in, or sign up")
    return Person(visitor, visitor.visit)


def member_with(permission: Permission) -> Callable[[Request], Caller]:
    """Return a dependency that asks for a permission. It raises SignInNeeded, NoAccount, RoleMissing."""

    def dependency(request: Request) -> Caller:
        person = person_of(request)
        membership = person.visitor.membership
        if membership is None:
            raise NoAccount("you are a member of no account", hint="ask an owner to invite you, or sign up")
        if permission not in permissions_of(membership.role):
            raise RoleMissing(
                f"the role {membership.role} does not include {permission}", hint="ask an owner of the account"
            )
        return Caller(person.visitor, person.visit, membership.account, membership.role)

    return dependency


def operator_of(request: Request) -> Person:
    """Return the operator. Raises SignInNeeded, OperatorsOnly."""
    person = person_of(request)
    if not person.user.operator:
        raise OperatorsOnly("this page is for operators", hint="sign in as one")
    return person


ServicesDep = Annotated[Services, Depends(services_of)]
VisitorDep = Annotated[Visitor, Depends(visitor_of)]
PersonDep = Annotated[Person, Depends(person_of)]
OperatorDep = Annotated[Person, Depends(operator_of)]
UsageReader = Annotated[Caller, Depends(member_with(Permission.USAGE_READ))]
KeysReader = Annotated[Caller, Depends(member_with(Permission.KEYS_READ))]
KeysWriter = Annotated[Caller, Depends(member_with(Permission.KEYS_WRITE))]
Predictor = Annotated[Caller, Depends(member_with(Permission.PREDICT))]
BillingReader = Annotated[Caller, Depends(member_with(Permission.BILLING_READ))]
BudgetsWriter = Annotated[Caller, Depends(member_with(Permission.BUDGETS_WRITE))]
MembersReader = Annotated[Caller, Depends(member_with(Permission.MEMBERS_READ))]
MembersWriter = Annotated[Caller, Depends(member_with(Permission.MEMBERS_WRITE))]
AccountWriter = Annotated[Caller, Depends(member_with(Permission.ACCOUNT_WRITE))]
AuditReader = Annotated[Caller, Depends(member_with(Permission.AUDIT_READ))]
