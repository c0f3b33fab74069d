"""All SQL of identities: who a person is at an OpenID Connect provider."""

from datetime import datetime

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.database import insert_into
from app.members.identity import BoundIdentity
from app.members.tables import IdentityRow


def find_identity(session: Session, issuer: str, subject: str) -> str | None:
    """Return the id of the user whom the provider knows by that subject."""
    row = session.get(IdentityRow, (issuer, subject))
    return row.user_id if row else None


def has_identity(session: Session, user_id: str, issuer: str) -> bool:
    """Tell whether the provider knows the user by some subject."""
    query = select(IdentityRow.subject).where(IdentityRow.user_id == user_id, IdentityRow.issuer == issuer).limit(1)
    return session.scalar(query) is not None


def list_identities(session: Session, user_id: str) -> list[BoundIdentity]:
    """Return the providers that know the user, the first one first."""
    query = select(IdentityRow).where(IdentityRow.user_id == user_id).order_by(IdentityRow.created_at)
    return [BoundIdentity(row.issuer, row.created_at) for row in session.scalars(query)]


def delete_identities(session: Session, user_id: str, issuer: str) -> bool:
    """Let a provider not know the user any more; return False where it did not."""
    statement = delete(IdentityRow).where(IdentityRow.user_id == user_id, IdentityRow.issuer == issuer)
    return bool(session.scalars(statement.returning(IdentityRow.subject)).all())


def insert_identity(session: Session, issuer: str, subject: str, user_id: str, now: datetime) -> bool:
    """Bind a subject to a user; return False where it is bound already."""
    values = {"issuer": issuer, "subject": subject, "user_id": user_id, "created_at": now}
    statement = insert_into(session, IdentityRow).values(values).on_conflict_do_nothing()
    return session.execute(statement.returning(IdentityRow.user_id)).first() is not None
