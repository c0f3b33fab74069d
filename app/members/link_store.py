"""All SQL of mailed links."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, delete, select, update
from sqlalchemy.orm import Session

from app.members.mailed_link import LinkPurpose, MailedLink, link_invalid
from app.members.member import Invitation
from app.members.role import Role
from app.members.tables import MailedLinkRow
from app.members.token import digest_of


def insert_link(session: Session, link: MailedLink, *, digest: bytes) -> None:
    session.add(
        MailedLinkRow(
            id=link.id,
            purpose=link.purpose,
            digest=digest,
            email=link.email,
            account_id=link.account_id,
            account_name=link.account_name,
            role=link.role,
            user_id=link.user_id,
            invited_by=link.invited_by,
            language=link.language,
            zone=link.zone,
            created_at=link.created_at,
            expires_at=link.expires_at,
        )
    )
    session.flush()


def usable_link(session: Session, token: str, purposes: Collection[LinkPurpose], now: datetime) -> MailedLink:
    """Return the link of a token, for one of those purposes. Raises LinkInvalid, for a used or expired one as well."""
    row = session.scalar(select(MailedLinkRow).where(MailedLinkRow.digest == digest_of(token)))
    link = _link_of(row) if row else None
    if link is None or link.purpose not in purposes or not link.usable_at(now):
        raise link_invalid()
    return link


def use_link(session: Session, link_id: str, now: datetime) -> bool:
    """Mark a link as used; return False where it was used before or has expired: of two who try, one succeeds."""
    statement = (
        update(MailedLinkRow)
        .where(MailedLinkRow.id == link_id, MailedLinkRow.used_at.is_(None), MailedLinkRow.expires_at > now)
        .values(used_at=now)
        .returning(MailedLinkRow.id)
    )
    return session.execute(statement).first() is not None


def end_links_to(session: Session, email: str, purpose: LinkPurpose, now: datetime) -> None:
    """End every usable link of that purpose that was mailed to the address."""
    _end(session, [MailedLinkRow.email == email, MailedLinkRow.purpose == purpose], now)


def end_links_of(session: Session, user_id: str, purposes: Sequence[LinkPurpose], now: datetime) -> None:
    """End every usable link of those purposes that changes the user."""
    _end(session, [MailedLinkRow.user_id == user_id, MailedLinkRow.purpose.in_(purposes)], now)


def end_invitations(session: Session, account_id: str, email: str, now: datetime) -> None:
    """End the open invitations of an address to the account."""
    _end(session, [*_invitations_to(account_id), MailedLinkRow.email == email], now)


def end_invitations_of(session: Session, account_id: str, invited_by: str, now: datetime) -> None:
    """End the open invitations to the account that a user has sent."""
    _end(session, [*_invitations_to(account_id), MailedLinkRow.invited_by == invited_by], now)


def cancel_invitation(session: Session, account_id: str, link_id: str, now: datetime) -> bool:
    """End one open invitation; return False where the account has no such invitation."""
    return _end(session, [*_invitations_to(account_id), MailedLinkRow.id == link_id], now)


def invited_emails(session: Session, link_ids: Collection[str]) -> dict[str, str]:
    """Return to whom invitations went, by their ids; those that were forgotten since are left out."""
    query = select(MailedLinkRow.id, MailedLinkRow.email).where(
        MailedLinkRow.id.in_(link_ids), MailedLinkRow.purpose == LinkPurpose.INVITATION
    )
    return {row.id: row.email for row in session.execute(query)}


def list_invitations(session: Session, account_id: str, now: datetime) -> list[Invitation]:
    """Return the open invitations of an account, oldest first."""
    rows = session.scalars(
        select(MailedLinkRow)
        .where(*_invitations_to(account_id), *_usable(now))
        .order_by(MailedLinkRow.created_at, MailedLinkRow.id)
    )
    return [Invitation(row.id, row.email, Role(row.role), row.created_at, row.expires_at) for row in rows if row.role]


def purge_links(session: Session, expired_before: datetime) -> None:
    session.execute(delete(MailedLinkRow).where(MailedLinkRow.expires_at < expired_before))


def _end(session: Session, which: Sequence[ColumnElement[bool]], now: datetime) -> bool:
    statement = update(MailedLinkRow).where(*which, *_usable(now)).values(expires_at=now)
    return bool(session.scalars(statement.returning(MailedLinkRow.id)).all())


def _invitations_to(account_id: str) -> list[ColumnElement[bool]]:
    return [MailedLinkRow.account_id == account_id, MailedLinkRow.purpose == LinkPurpose.INVITATION]


def _usable(now: datetime) -> list[ColumnElement[bool]]:
    return [MailedLinkRow.used_at.is_(None), MailedLinkRow.expires_at > now]


def _link_of(row: MailedLinkRow) -> MailedLink:
    fields: dict[str, Any] = {name: getattr(row, name) for name in MailedLink.__slots__}
    fields["purpose"] = LinkPurpose(row.purpose)
    fields["role"] = Role(row.role) if row.role else None
    return MailedLink(**fields)
