"""How a user gets a seat in an account, in the caller's transaction."""

from datetime import datetime

from app.accounts.account import User
from app.audit_log.actor import Actor
from app.audit_log.store import record
from app.database import Session
from app.errors import Conflict
from app.members import member_store, session_store
from app.members.role import Role


class AlreadyMember(Conflict):
    """The person belongs to the account already."""

    code = "already_member"


def take_seat(
    session: Session, account_id: str, user: User, role: Role, *, now: datetime, by: Actor, **facts: str
) -> None:
    """Let a user into an account; every session of the user gets a new token. Raises AlreadyMember."""
    if not member_store.insert_member(session, account_id, user.id, role, now):
        raise AlreadyMember(f"{user.email} is a member", where="email", hint="change the role instead")
    session_store.ask_for_rotation(session, user.id)
    record(session, by=by, at=now, action="member.joined", target=user.id, account_id=account_id, role=role, **facts)
