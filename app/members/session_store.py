"""All SQL of browser sessions."""

from datetime import datetime

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from app.members.session import BrowserSession
from app.members.tables import BrowserSessionRow

SESSIONS_LISTED = 100


def insert_session(session: Session, signed_in: BrowserSession, *, digest: bytes) -> None:
    session.add(
        BrowserSessionRow(
            id=signed_in.id,
            user_id=signed_in.user_id,
            digest=digest,
            created_at=signed_in.created_at,
            last_seen_at=signed_in.last_seen_at,
            expires_at=signed_in.expires_at,
            address=signed_in.address,
            agent=signed_in.agent,
            rotation_due=signed_in.rotation_due,
        )
    )
    session.flush()


def find_session(session: Session, digest: bytes) -> BrowserSession | None:
    row = session.scalar(select(BrowserSessionRow).where(BrowserSessionRow.digest == digest))
    return _session_of(row) if row else None


def list_sessions(session: Session, user_id: str) -> list[BrowserSession]:
    """Return a user's sessions, the one that was seen last first, a page of them at most."""
    rows = session.scalars(
        select(BrowserSessionRow)
        .where(BrowserSessionRow.user_id == user_id)
        .order_by(BrowserSessionRow.last_seen_at.desc(), BrowserSessionRow.id.desc())
        .limit(SESSIONS_LISTED)
    )
    return [_session_of(row) for row in rows]


def touch(session: Session, session_id: str, now: datetime) -> None:
    """Note that a session was seen; never moves back."""
    session.execute(
        update(BrowserSessionRow)
        .where(BrowserSessionRow.id == session_id, BrowserSessionRow.last_seen_at < now)
        .values(last_seen_at=now)
    )


def ask_for_rotation(session: Session, user_id: str) -> None:
    """Let every session of the user get a new token at its next visit."""
    session.execute(update(BrowserSessionRow).where(BrowserSessionRow.user_id == user_id).values(rotation_due=True))


def ask_for_rotation_of(session: Session, session_id: str) -> None:
    session.execute(update(BrowserSessionRow).where(BrowserSessionRow.id == session_id).values(rotation_due=True))


def note_password(session: Session, session_id: str, now: datetime) -> None:
    """Note that the person of the session has given the password once more."""
    session.execute(update(BrowserSessionRow).where(BrowserSessionRow.id == session_id).values(password_given_at=now))


def take_password(session: Session, session_id: str, user_id: str, *, since: datetime) -> bool:
    """Use it up; return False where the password was not given since then."""
    statement = (
        update(BrowserSessionRow)
        .where(BrowserSessionRow.id == session_id, BrowserSessionRow.user_id == user_id)
        .where(BrowserSessionRow.password_given_at >= since)
        .values(password_given_at=None)
        .returning(BrowserSessionRow.id)
    )
    return session.execute(statement).first() is not None


def rotate(session: Session, *, old_digest: bytes, new_digest: bytes, now: datetime) -> bool:
    """Replace a token that is due; return False where another request was first: of two who try, one succeeds."""
    statement = (
        update(BrowserSessionRow)
        .where(BrowserSessionRow.digest == old_digest, BrowserSessionRow.rotation_due)
        .values(digest=new_digest, rotation_due=False, last_seen_at=now)
        .returning(BrowserSessionRow.id)
    )
    return session.execute(statement).first() is not None


def delete_session(session: Session, user_id: str, session_id: str) -> bool:
    """End a session of the user; return False where there is none."""
    return _delete(session, BrowserSessionRow.id == session_id, BrowserSessionRow.user_id == user_id) > 0


def delete_other_sessions(session: Session, user_id: str, kept_id: str | None) -> int:
    """End every session of the user but one; return how many."""
    kept = [BrowserSessionRow.id != kept_id] if kept_id is not None else []
    return _delete(session, BrowserSessionRow.user_id == user_id, *kept)


def purge_sessions(session: Session, now: datetime, seen_before: datetime) -> None:
    for ended in (BrowserSessionRow.expires_at < now, BrowserSessionRow.last_seen_at < seen_before):  # an index each
        _delete(session, ended)


def _delete(session: Session, *which: ColumnElement[bool]) -> int:
    return len(list(session.scalars(delete(BrowserSessionRow).where(*which).returning(BrowserSessionRow.id))))


def _session_of(row: BrowserSessionRow) -> BrowserSession:
    return BrowserSession(
        id=row.id,
        user_id=row.user_id,
        created_at=row.created_at,
        last_seen_at=row.last_seen_at,
        expires_at=row.expires_at,
        address=row.address,
        agent=row.agent,
        rotation_due=row.rotation_due,
    )
