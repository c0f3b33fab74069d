"""How a person comes in, in the caller's transaction: a user for a proven address, and an account of its own."""

from datetime import datetime

from app.accounts import user_store
from app.accounts.account import User
from app.accounts.service import EmailTaken, new_account
from app.audit_log.actor import Actor, ActorKind
from app.audit_log.store import record
from app.database import Session
from app.errors import Forbidden
from app.ids import new_id
from app.members.role import Role
from app.members.seat import take_seat
from app.pricing.open_account import open_in
from app.pricing.store import newest_version


class SignUpClosed(Forbidden):
    """Nobody opens an account at this installation without its operator."""

    code = "sign_up_closed"


def person(user: User, address: str | None) -> Actor:
    """Return a user as the one who acts."""
    return Actor(ActorKind.USER, user.id, address)


def add_user(
    session: Session, email: str, password_hash: str | None, *, now: datetime, address: str | None, **facts: str
) -> User:
    """Make the user of an address whose mailbox was read. Raises EmailTaken where somebody else was first."""
    user = User(new_id("user", now), email, operator=False, created_at=now)
    if not user_store.insert_user(session, user, password_hash=password_hash):
        raise EmailTaken(f"{email} has a user already", where="email", hint="sign in with its password")
    by = person(user, address)
    record(session, by=by, at=now, action="user.created", target=user.id, operator="no", **facts)
    return user


def open_own_account(
    session: Session, user: User, name: str, zone: str, plan_key: str, *, now: datetime, by: Actor
) -> str:
    """Open an account on the plan, owned by the user; return its id. Raises SignUpClosed without such a plan."""
    plan = newest_version(session, plan_key)
    if plan is None:
        raise SignUpClosed("the plan for new accounts is missing", hint="ask the people who run this installation")
    account = new_account(name, currency=plan.currency, zone=zone, anchor_day=1, now=now)
    open_in(session, account, plan_key, by=by)
    take_seat(session, account.id, user, Role.OWNER, now=now, by=by)
    return account.id
