"""All SQL of users."""

from collections.abc import Collection

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.accounts.account import User
from app.accounts.tables import UserRow
from app.database import insert_into

_NEW_VERSION = {"credentials_version": UserRow.credentials_version + 1}


def insert_user(session: Session, user: User, *, password_hash: str | None) -> bool:
    """Insert a user, without a hash one who signs in elsewhere; return False where the address is taken."""
    values = {
        "id": user.id,
        "email": user.email,
        "password_hash": password_hash,
        "operator": user.operator,
        "created_at": user.created_at,
    }
    statement = insert_into(session, UserRow).values(values).on_conflict_do_nothing().returning(UserRow.id)
    return session.execute(statement).first() is not None


def find_user(session: Session, email: str) -> tuple[User, str | None] | None:
    """Return a user and the hash of the password, where there is one."""
    row = session.scalar(select(UserRow).where(UserRow.email == email))
    return (user_of(row), row.password_hash) if row else None


def find_user_by_id(session: Session, user_id: str) -> User | None:
    row = session.get(UserRow, user_id)
    return user_of(row) if row else None


def find_users(session: Session, user_ids: Collection[str]) -> dict[str, User]:
    """Return the users of those ids; an unknown id is left out."""
    rows = session.scalars(select(UserRow).where(UserRow.id.in_(user_ids)))
    return {row.id: user_of(row) for row in rows}


def list_users(session: Session, after: str = "", limit: int | None = None) -> list[User]:
    """Return users in order of creation, those behind the id `after`."""
    rows = session.scalars(select(UserRow).where(UserRow.id > after).order_by(UserRow.id).limit(limit))
    return [user_of(row) for row in rows]


def password_hash_of(session: Session, user_id: str) -> str | None:
    return session.scalar(select(UserRow.password_hash).where(UserRow.id == user_id))


def set_password_hash(session: Session, user_id: str, password_hash: str) -> None:
    """Give a user another password: whoever gave the one before, and is not in yet, stays outside."""
    values = {"password_hash": password_hash, **_NEW_VERSION}
    session.execute(update(UserRow).where(UserRow.id == user_id).values(values))


def renew_credentials(session: Session, user_id: str) -> None:
    """Let what was proved before now not count any more."""
    session.execute(update(UserRow).where(UserRow.id == user_id).values(_NEW_VERSION))


def set_email(session: Session, user_id: str, email: str) -> bool:
    """Give a user another address; return False where it is taken."""
    taken = select(UserRow.id).where(UserRow.email == email).exists()
    values = {"email": email, **_NEW_VERSION}
    statement = update(UserRow).where(UserRow.id == user_id, ~taken).values(values).returning(UserRow.id)
    return session.execute(statement).first() is not None


def lock_user(session: Session, user_id: str) -> User | None:
    """Lock a user's row against other changes of the same person."""
    query = select(UserRow).where(UserRow.id == user_id).with_for_update()
    row = session.scalar(query, execution_options={"populate_existing": True})
    return user_of(row) if row else None


def operator_exists(session: Session) -> bool:
    return session.scalar(select(UserRow.id).where(UserRow.operator).limit(1)) is not None


def user_of(row: UserRow) -> User:
    """Return the noun of a row."""
    return User(row.id, row.email, row.operator, row.created_at, row.credentials_version)
