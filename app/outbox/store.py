"""All SQL of outgoing mail."""

from datetime import datetime

from sqlalchemy import delete, select, update
from sqlalchemy.orm import Session

from app.outbox.mail import Mail
from app.outbox.tables import OutgoingMailRow


def enqueue(session: Session, mail: Mail) -> None:
    """Let a mail go out once the caller's transaction is committed."""
    _insert(session, mail, mail.text, mail.html, next_attempt_at=mail.created_at, last_error=None)


def keep_unsent(session: Session, mail: Mail, why: str) -> None:
    """Store a mail that nobody gets, without its text: costs what `enqueue` does."""
    _insert(session, mail, "", "", next_attempt_at=None, last_error=why)


def _insert(
    session: Session, mail: Mail, text: str, html: str, *, next_attempt_at: datetime | None, last_error: str | None
) -> None:
    session.add(
        OutgoingMailRow(
            id=mail.id,
            recipient=mail.to,
            subject=mail.subject,
            text=text,
            html=html,
            created_at=mail.created_at,
            attempts=0,
            next_attempt_at=next_attempt_at,
            last_error=last_error,
        )
    )
    session.flush()


def claim_due(session: Session, now: datetime, until: datetime) -> tuple[Mail, int] | None:
    """Take the mail that has waited longest, for this process alone until the instant; return it and the attempt."""
    due = (
        select(OutgoingMailRow)
        .where(OutgoingMailRow.next_attempt_at <= now)
        .order_by(OutgoingMailRow.next_attempt_at, OutgoingMailRow.id)
        .limit(1)
        .with_for_update(skip_locked=True)
    )
    row = session.scalar(due)
    if row is None:
        return None
    row.attempts, row.next_attempt_at = row.attempts + 1, until
    session.flush()
    return Mail(row.id, row.recipient, row.subject, row.text, row.html, row.created_at), row.attempts


def mark_delivered(session: Session, mail_id: str, now: datetime) -> None:
    """Note the delivery and forget the text: it may hold a link that works."""
    _close(session, mail_id, delivered_at=now, last_error=None)


def mark_given_up(session: Session, mail_id: str, error: str) -> None:
    """Note why a mail will not be tried again, and forget its text."""
    _close(session, mail_id, delivered_at=None, last_error=error)


def mark_failed(session: Session, mail_id: str, error: str, *, next_attempt_at: datetime) -> None:
    session.execute(
        update(OutgoingMailRow)
        .where(OutgoingMailRow.id == mail_id)
        .values(last_error=error, next_attempt_at=next_attempt_at)
    )


def next_attempt_at(session: Session) -> datetime | None:
    """Return when the next mail is due, None where none waits."""
    return session.scalar(
        select(OutgoingMailRow.next_attempt_at)
        .where(OutgoingMailRow.next_attempt_at.is_not(None))
        .order_by(OutgoingMailRow.next_attempt_at)
        .limit(1)
    )


def purge_mails(session: Session, created_before: datetime) -> None:
    """Delete what was delivered or given up, from before the instant."""
    session.execute(
        delete(OutgoingMailRow).where(
            OutgoingMailRow.created_at < created_before, OutgoingMailRow.next_attempt_at.is_(None)
        )
    )


def _close(session: Session, mail_id: str, *, delivered_at: datetime | None, last_error: str | None) -> None:
    session.execute(
        update(OutgoingMailRow)
        .where(OutgoingMailRow.id == mail_id)
        .values(text="", html="", next_attempt_at=None, delivered_at=delivered_at, last_error=last_error)
    )
