"""Tables of memberships, mailed links, browser sessions and identities."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, SortableId

_ROLES = "('owner', 'developer', 'billing', 'viewer')"


class MembershipRow(Base):
    """A user belongs to an account, in one role."""

    __tablename__ = "memberships"
    __table_args__ = (CheckConstraint(f"role IN {_ROLES}", name="role"),)

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String)
    created_at: Mapped[datetime] = mapped_column(Instant)


class MailedLinkRow(Base):
    """A link that was mailed: `digest` is the SHA-256 of its token; `account_id` and `role` belong to an invitation."""

    __tablename__ = "mailed_links"
    __table_args__ = (
        CheckConstraint("purpose IN ('sign_up', 'invitation', 'reset', 'email_change')", name="purpose"),
        CheckConstraint(f"role IN {_ROLES}", name="role"),
    )

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    purpose: Mapped[str] = mapped_column(String)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email: Mapped[str] = mapped_column(String, index=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    account_name: Mapped[str | None] = mapped_column(String)
    role: Mapped[str | None] = mapped_column(String)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    language: Mapped[str] = mapped_column(String)
    zone: Mapped[str] = mapped_column(String)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class BrowserSessionRow(Base):
    """Somebody is signed in: `digest` is the SHA-256 of the token in the cookie."""

    __tablename__ = "browser_sessions"

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_seen_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    address: Mapped[str | None] = mapped_column(String)
    agent: Mapped[str] = mapped_column(String)
    rotation_due: Mapped[bool] = mapped_column()


class IdentityRow(Base):
    """A user as an OpenID Connect provider knows the person."""

    __tablename__ = "identities"

    issuer: Mapped[str] = mapped_column(String, primary_key=True)
    subject: Mapped[str] = mapped_column(String, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
