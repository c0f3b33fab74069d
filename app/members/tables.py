"""Tables of memberships, mailed links, browser sessions and identities."""

from datetime import datetime

from sqlalchemy import CheckConstraint, ForeignKey, LargeBinary, String
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant, SortableId

_ROLES = "('owner', 'developer', 'billing', 'viewer')"
# Which fields a link of each purpose has. A reset link without a user is one that nobody was mailed.
_FIELDS_OF_PURPOSE = (
    "(purpose = 'invitation') = (account_id IS NOT NULL)"
    " AND (purpose = 'invitation') = (role IS NOT NULL)"
    " AND (purpose = 'invitation' OR invited_by IS NULL)"
    " AND (purpose IN ('sign_up', 'invitation')) = (account_name IS NOT NULL)"
    " AND (purpose IN ('reset', 'email_change') OR user_id IS NULL)"
    " AND (purpose <> 'email_change' OR user_id IS NOT NULL)"
)


class MembershipRow(Base):
    """A user belongs to an account, in one role."""

    __tablename__ = "memberships"
    __table_args__ = (CheckConstraint(f"role IN {_ROLES}", name="role"),)

    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), primary_key=True, index=True)
    role: Mapped[str] = mapped_column(String)
    created_at: Mapped[datetime] = mapped_column(Instant)


class MailedLinkRow(Base):
    """A link that was mailed: `digest` is the SHA-256 of its token.

    `account_id`, `role` and `invited_by` belong to an invitation; the last is null where no user invites.
    """

    __tablename__ = "mailed_links"
    __table_args__ = (
        CheckConstraint("purpose IN ('sign_up', 'invitation', 'reset', 'email_change')", name="purpose"),
        CheckConstraint(f"role IN {_ROLES}", name="role"),
        CheckConstraint(_FIELDS_OF_PURPOSE, name="fields_of_purpose"),
    )

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    purpose: Mapped[str] = mapped_column(String)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    email: Mapped[str] = mapped_column(String, index=True)
    account_id: Mapped[str | None] = mapped_column(ForeignKey("accounts.id"), index=True)
    account_name: Mapped[str | None] = mapped_column(String)
    role: Mapped[str | None] = mapped_column(String)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"), index=True)
    invited_by: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    language: Mapped[str] = mapped_column(String)
    zone: Mapped[str] = mapped_column(String)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    used_at: Mapped[datetime | None] = mapped_column(Instant)


class BrowserSessionRow(Base):
    """Somebody is signed in: `digest` is the SHA-256 of the token in the cookie.

    `password_given_at` is when the person gave the password once more, for what a session alone does not allow.
    """

    __tablename__ = "browser_sessions"

    id: Mapped[str] = mapped_column(SortableId, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
    last_seen_at: Mapped[datetime] = mapped_column(Instant, index=True)
    expires_at: Mapped[datetime] = mapped_column(Instant, index=True)
    address: Mapped[str | None] = mapped_column(String)
    agent: Mapped[str] = mapped_column(String)
    rotation_due: Mapped[bool] = mapped_column()
    password_given_at: Mapped[datetime | None] = mapped_column(Instant)


class IdentityRow(Base):
    """A user as an OpenID Connect provider knows the person."""

    __tablename__ = "identities"

    issuer: Mapped[str] = mapped_column(String, primary_key=True)
    subject: Mapped[str] = mapped_column(String, primary_key=True)
    user_id: Mapped[str] = mapped_column(ForeignKey("users.id"), index=True)
    created_at: Mapped[datetime] = mapped_column(Instant)
