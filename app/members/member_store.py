"""All SQL of memberships."""

from collections.abc import Collection
from datetime import datetime

from sqlalchemy import delete, func, select, update
from sqlalchemy.orm import Session

from app.accounts.store import account_of
from app.accounts.tables import AccountRow, UserRow
from app.accounts.user_store import user_of
from app.database import insert_into
from app.members.member import Member, Membership
from app.members.role import Role
from app.members.tables import MembershipRow


def insert_member(session: Session, account_id: str, user_id: str, role: Role, now: datetime) -> bool:
    """Let a user into an account; return False for one who belongs to it already."""
    values = {"account_id": account_id, "user_id": user_id, "role": role, "created_at": now}
    statement = insert_into(session, MembershipRow).values(values).on_conflict_do_nothing()
    return session.execute(statement.returning(MembershipRow.user_id)).first() is not None


def memberships_of(session: Session, user_id: str, account_id: str | None = None) -> list[Membership]:
    """Return the accounts of a user in order of creation, or the one that is named."""
    query = (
        select(AccountRow, MembershipRow.role)
        .join(MembershipRow, MembershipRow.account_id == AccountRow.id)
        .where(MembershipRow.user_id == user_id)
        .order_by(AccountRow.id)
    )
    if account_id is not None:
        query = query.where(AccountRow.id == account_id)
    return [Membership(account_of(row), Role(role)) for row, role in session.execute(query)]


def list_members(session: Session, account_id: str, *, email: str | None = None) -> list[Member]:
    """Return the members of an account in the order in which they joined, or the one of an address alone."""
    query = (
        select(UserRow, MembershipRow.role, MembershipRow.created_at)
        .join(MembershipRow, MembershipRow.user_id == UserRow.id)
        .where(MembershipRow.account_id == account_id)
        .order_by(MembershipRow.created_at, UserRow.id)
    )
    if email is not None:
        query = query.where(UserRow.email == email)
    return [Member(user_of(row), Role(role), since) for row, role, since in session.execute(query)]


def members_among(session: Session, account_id: str, user_ids: Collection[str]) -> frozenset[str]:
    """Return those of the ids that are members of the account."""
    query = select(MembershipRow.user_id).where(MembershipRow.account_id == account_id)
    return frozenset(session.scalars(query.where(MembershipRow.user_id.in_(user_ids))))


def role_of(session: Session, account_id: str, user_id: str) -> Role | None:
    row = session.get(MembershipRow, (account_id, user_id))
    return Role(row.role) if row else None


def has_member(session: Session, account_id: str, email: str) -> bool:
    """Tell whether the user of that address belongs to the account."""
    query = (
        select(MembershipRow.user_id)
        .join(UserRow, UserRow.id == MembershipRow.user_id)
        .where(MembershipRow.account_id == account_id, UserRow.email == email)
    )
    return session.scalar(query) is not None


def count_owners(session: Session, account_id: str) -> int:
    query = select(func.count()).where(MembershipRow.account_id == account_id, MembershipRow.role == Role.OWNER)
    return session.scalar(query) or 0


def set_role(session: Session, account_id: str, user_id: str, role: Role) -> None:
    session.execute(
        update(MembershipRow)
        .where(MembershipRow.account_id == account_id, MembershipRow.user_id == user_id)
        .values(role=role)
    )


def delete_member(session: Session, account_id: str, user_id: str) -> None:
    session.execute(
        delete(MembershipRow).where(MembershipRow.account_id == account_id, MembershipRow.user_id == user_id)
    )
