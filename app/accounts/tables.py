"""Tables of accounts, keys, their budgets and rate limits, users and the change sequence."""

from datetime import datetime

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    SmallInteger,
    String,
    false,
    text,
)
from sqlalchemy.orm import Mapped, mapped_column

from app.database import Base, Instant

_LIVING_PLAYGROUND_KEY = text("purpose = 'playground' AND revoked_at IS NULL")


class AccountRow(Base):
    """`creation_id` is that of the request that opened the account: one that is sent again opens no other."""

    __tablename__ = "accounts"
    __table_args__ = (
        CheckConstraint("anchor_day BETWEEN 1 AND 31", name="anchor_day"),
        Index("uq_accounts_creation_id", "creation_id", unique=True),
    )

    id: Mapped[str] = mapped_column(String, primary_key=True)
    name: Mapped[str] = mapped_column(String)
    currency: Mapped[str] = mapped_column(String(3))
    zone: Mapped[str] = mapped_column(String)
    anchor_day: Mapped[int] = mapped_column(SmallInteger)
    created_at: Mapped[datetime] = mapped_column(Instant)
    closed_through: Mapped[datetime | None] = mapped_column(Instant)
    gated: Mapped[bool] = mapped_column(server_default=false())
    creation_id: Mapped[str | None] = mapped_column(String)


class ApiKeyRow(Base):
    """`purpose` is `playground` for the key that the portal itself calls models with: one an account and mode.

    `creation_id` is that of the form that made the key: a form that is sent again makes no other. `first_key_id` is the
    key that it goes back to by rotations, null where it is the first itself: budgets are kept under that one.
    """

    __tablename__ = "api_keys"
    __table_args__ = (
        CheckConstraint("purpose IN ('api', 'playground')", name="purpose"),
        Index(
            "uq_api_keys_playground",
            "account_id",
            "live",
            unique=True,
            sqlite_where=_LIVING_PLAYGROUND_KEY,
            postgresql_where=_LIVING_PLAYGROUND_KEY,
        ),
        Index("uq_api_keys_creation", "account_id", "creation_id", unique=True),
    )

    id: Mapped[str] = mapped_column(String, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"), index=True)
    user_id: Mapped[str | None] = mapped_column(ForeignKey("users.id"))
    name: Mapped[str] = mapped_column(String)
    digest: Mapped[bytes] = mapped_column(LargeBinary, unique=True)
    hint: Mapped[str] = mapped_column(String)
    live: Mapped[bool] = mapped_column()
    scopes: Mapped[str] = mapped_column(String)
    models: Mapped[str] = mapped_column(String)
    created_at: Mapped[datetime] = mapped_column(Instant)
    expires_at: Mapped[datetime | None] = mapped_column(Instant)
    revoked_at: Mapped[datetime | None] = mapped_column(Instant)
    purpose: Mapped[str] = mapped_column(String, server_default="api")
    creation_id: Mapped[str | None] = mapped_column(String)
    first_key_id: Mapped[str | None] = mapped_column(String)


class BudgetRow(Base):
    __tablename__ = "budgets"
    __table_args__ = (
        CheckConstraint("measure IN ('money', 'units')", name="measure"),
        CheckConstraint("\"window\" IN ('day', 'month', 'total')", name="window"),
        CheckConstraint("limit_value BETWEEN 0 AND 1000000000000000000", name="limit_value"),
        Index("ix_budgets_account_id", "account_id"),
        Index("uq_budgets_subject", "subject_id", "measure", "window", unique=True),
    )

    id: Mapped[str] = mapped_column(String, primary_key=True)
    account_id: Mapped[str] = mapped_column(ForeignKey("accounts.id"))
    key_id: Mapped[str | None] = mapped_column(ForeignKey("api_keys.id"))
    subject_id: Mapped[str] = mapped_column(String)  # the key's id, which is a first one, else the account's
    measure: Mapped[str] = mapped_column(String)
    window: Mapped[str] = mapped_column(String)
    limit_value: Mapped[int] = mapped_column(BigInteger)
    hard: Mapped[bool] = mapped_column()
    thresholds: Mapped[str] = mapped_column(String)
    created_at: Mapped[datetime] = mapped_column(Instant)


class RateLimitRow(Base):
    """`subject_id` is a key, an account, or `model:NAME`; a limit that is null is none."""

    __tablename__ = "rate_limits"

    subject_id: Mapped[str] = mapped_column(String, primary_key=True)
    requests_per_minute: Mapped[int | None] = mapped_column(Integer)
    units_per_minute: Mapped[int | None] = mapped_column(Integer)
    concurrency_max: Mapped[int | None] = mapped_column(Integer)


class UserRow(Base):
    """`password_hash` is null for a person who signs in elsewhere.

    `credentials_version` grows with each change of what the person signs in with.
    """

    __tablename__ = "users"

    id: Mapped[str] = mapped_column(String, primary_key=True)
    email: Mapped[str] = mapped_column(String, unique=True)
    password_hash: Mapped[str | None] = mapped_column(String)
    operator: Mapped[bool] = mapped_column()
    created_at: Mapped[datetime] = mapped_column(Instant)
    credentials_version: Mapped[int] = mapped_column(Integer, server_default="0")


class ChangeSequenceRow(Base):
    """One row: a number that grows with every change that caches must notice."""

    __tablename__ = "change_sequence"
    __table_args__ = (CheckConstraint("id = 1", name="one_row"),)

    id: Mapped[int] = mapped_column(SmallInteger, primary_key=True, autoincrement=False)
    value: Mapped[int] = mapped_column(BigInteger)
