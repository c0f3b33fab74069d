"""People at their browsers: members in each role, operators, strangers. Each is made when it is asked for."""

from functools import cache
from itertools import count

from app.accounts.account import User
from app.accounts.password import hash_password
from app.accounts.user_store import insert_user
from app.ids import new_id
from app.members.role import Role
from app.pricing.open_account import open_account
from tests.api.installation import OPERATOR, Installation
from tests.portal.browser import Browser

PASSWORD = "correct horse battery staple"
_numbers = count(1)


def account(portal: Installation, *, plan: str | None = "payg", zone: str = "UTC") -> str:
    """Open an account and return its id."""
    services = portal.services
    name = f"Account {next(_numbers)}"
    opened = open_account(
        services.database, services.clock, name, currency="USD", zone=zone, anchor_day=1, plan_key=plan
    )
    return opened.id


def member(portal: Installation, role: Role = Role.OWNER, account_id: str | None = None) -> "Member":
    """Return somebody who is a member of the account, or of a new one, and has just signed in."""
    user = new_user(portal)
    account_id = account_id or account(portal)
    portal.services.members.add(account_id, user.email, role)
    return Member(portal, user, account_id)


def operator(portal: Installation) -> Browser:
    """Return the operator, signed in."""
    browser = Browser(portal)
    browser.sign_in_as(OPERATOR[0])
    return browser


def another_operator(portal: Installation) -> "Person":
    """Return an operator of whom no other test knows, signed in."""
    return Person(portal, new_user(portal, operator=True))


def new_user(portal: Installation, *, operator: bool = False) -> User:
    """Make a user. The password's hash costs a tenth of a second, so all have the same one."""
    with portal.services.database.transaction() as session:
        now = portal.clock.now()
        user = User(new_id("user", now), f"person{next(_numbers)}@example.test", operator=operator, created_at=now)
        insert_user(session, user, password_hash=_hash_of_password())
    return user


@cache
def _hash_of_password() -> str:
    return hash_password(PASSWORD)


class Person(Browser):
    """Somebody who has just signed in."""

    def __init__(self, portal: Installation, user: User) -> None:
        super().__init__(portal)
        self.user = user
        self.sign_in_as(user.email)


class Member(Person):
    """Somebody at work in an account."""

    def __init__(self, portal: Installation, user: User, account_id: str) -> None:
        super().__init__(portal, user)
        self.account_id = account_id
