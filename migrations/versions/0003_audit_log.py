"""The audit log: who changed what. The database itself refuses to change or delete an entry.

One change passes: that an entry forgets the network address of who acted, which is personal and not kept for ever.
"""

import sqlalchemy as sa
from alembic import op

from app.database import Instant, SortableId

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

_REASON = "an entry of the audit log is never changed"
_KEPT = ("id", "occurred_at", "actor_kind", "actor_id", "action", "target", "account_id", "details")
_WITH_ADDRESS = sa.text("actor_address IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "audit_log",
        sa.Column("id", SortableId, primary_key=True),
        sa.Column("occurred_at", Instant, nullable=False),
        sa.Column("actor_kind", sa.String, nullable=False),
        sa.Column("actor_id", sa.String, nullable=False),
        sa.Column("actor_address", sa.String),
        sa.Column("action", sa.String, nullable=False),
        sa.Column("target", sa.String, nullable=False),
        sa.Column("account_id", sa.String),
        sa.Column("details", sa.Text, nullable=False),
        sa.CheckConstraint("actor_kind IN ('user', 'key', 'installation')", name="actor_kind"),
    )
    op.create_index("ix_audit_log_account_id_id", "audit_log", ["account_id", "id"])
    op.create_index(
        "ix_audit_log_with_address",
        "audit_log",
        ["occurred_at"],
        sqlite_where=_WITH_ADDRESS,
        postgresql_where=_WITH_ADDRESS,
    )
    _refuse_in_postgresql() if _on_postgresql() else _refuse_in_sqlite()


def downgrade() -> None:
    op.drop_table("audit_log")  # and its triggers with it
    if _on_postgresql():
        op.execute("DROP FUNCTION audit_log_refuse()")
        op.execute("DROP FUNCTION audit_log_forget()")


def _refuse_in_postgresql() -> None:
    refuse = f"RAISE EXCEPTION '{_REASON}' USING ERRCODE = 'restrict_violation';"
    op.execute(f"CREATE FUNCTION audit_log_refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {refuse} END $$")
    op.execute(
        "CREATE FUNCTION audit_log_forget() RETURNS trigger LANGUAGE plpgsql AS $$"
        " DECLARE forgotten audit_log%ROWTYPE := OLD; BEGIN forgotten.actor_address := NULL;"
        f" IF NEW IS DISTINCT FROM forgotten THEN {refuse} END IF; RETURN NEW; END $$"
    )
    op.execute(
        "CREATE TRIGGER audit_log_refuse BEFORE DELETE OR TRUNCATE ON audit_log"
        " FOR EACH STATEMENT EXECUTE FUNCTION audit_log_refuse()"
    )
    op.execute(
        "CREATE TRIGGER audit_log_forget BEFORE UPDATE ON audit_log FOR EACH ROW EXECUTE FUNCTION audit_log_forget()"
    )


def _refuse_in_sqlite() -> None:
    """Refuse INSERT OR REPLACE as well, which takes the place of a row without firing the triggers of DELETE."""
    is_there = "WHEN EXISTS (SELECT 1 FROM audit_log WHERE id = NEW.id)"
    forgets = " AND ".join(["NEW.actor_address IS NULL", *(f"NEW.{name} IS OLD.{name}" for name in _KEPT)])
    for action, condition in (("UPDATE", f"WHEN NOT ({forgets})"), ("DELETE", ""), ("INSERT", is_there)):
        op.execute(
            f"CREATE TRIGGER audit_log_refuse_{action.lower()} BEFORE {action} ON audit_log {condition}"
            f" BEGIN SELECT RAISE(ABORT, '{_REASON}'); END"
        )


def _on_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"
