"""All SQL of identities: who a person is at an OpenID Connect provider."""

from datetime import datetime

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.database import insert_into
from app.members.tables import IdentityRow


def find_identity(session: Session, issuer: str, subject: str) -> str | None:
    """Return the id of the user whom the provider knows by that subject."""
    row = session.get(IdentityRow, (issuer, subject))
    return row.user_id if row else None


def has_identity(session: Session, user_id: str, issuer: str) -> bool:
    """Tell whether the provider knows the user by some subject."""
    query = select(IdentityRow.subject).where(IdentityRow.user_id == user_id, IdentityRow.issuer == issuer).limit(1)
    return session.scalar(query) is not None


def insert_identity(session: Session, issuer: str, subject: str, user_id: str, now: datetime) -> bool:
    """Bind a subject to a user; return False where it is bound already."""
    values = {"issuer": issuer, "subject": subject, "user_id": user_id, "created_at": now}
    statement = insert_into(session, IdentityRow).values(values).on_conflict_do_nothing()
    return session.execute(statement.returning(IdentityRow.user_id)).first() is not None
