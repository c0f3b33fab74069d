"""Facts never change: usage events, published plan versions and issued invoices refuse it in the database itself.

A mistake in code, or a hand in the database, gets an error instead of a quiet correction of history. Events may still
be deleted, by the end of their retention.
"""

from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ISSUED_LINE = "EXISTS (SELECT 1 FROM invoices WHERE id = OLD.invoice_id AND status = 'issued')"
# (table, what is refused, when, why): conditions on OLD are written so that both databases read them.
_RULES = (
    ("usage_events", "UPDATE", "TRUE", "a usage event is never changed"),
    ("plan_versions", "UPDATE", "TRUE", "a published plan version is frozen"),
    ("plan_versions", "DELETE", "TRUE", "a published plan version is frozen"),
    ("invoices", "UPDATE", "OLD.status = 'issued'", "an issued invoice is never changed"),
    ("invoices", "DELETE", "OLD.status = 'issued'", "an issued invoice is never changed"),
    ("invoice_lines", "UPDATE", _ISSUED_LINE, "a line of an issued invoice is never changed"),
    ("invoice_lines", "DELETE", _ISSUED_LINE, "a line of an issued invoice is never changed"),
)


def upgrade() -> None:
    for rule in _RULES:
        _refuse_in_postgresql(*rule) if _on_postgresql() else _refuse_in_sqlite(*rule)


def downgrade() -> None:
    for table, action, _, _ in _RULES:
        if _on_postgresql():
            op.execute(f"DROP FUNCTION {_name(table, action)} CASCADE")
        else:
            op.execute(f"DROP TRIGGER {_name(table, action)}")


def _refuse_in_postgresql(table: str, action: str, condition: str, reason: str) -> None:
    returned = "NEW" if action == "UPDATE" else "OLD"
    op.execute(
        f"CREATE FUNCTION {_name(table, action)}() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN"
        f" IF {condition} THEN RAISE EXCEPTION '{reason}' USING ERRCODE = 'restrict_violation'; END IF;"
        f" RETURN {returned}; END $$"
    )
    op.execute(
        f"CREATE TRIGGER {_name(table, action)} BEFORE {action} ON {table}"
        f" FOR EACH ROW EXECUTE FUNCTION {_name(table, action)}()"
    )


def _refuse_in_sqlite(table: str, action: str, condition: str, reason: str) -> None:
    op.execute(
        f"CREATE TRIGGER {_name(table, action)} BEFORE {action} ON {table} WHEN {condition}"
        f" BEGIN SELECT RAISE(ABORT, '{reason}'); END"
    )


def _on_postgresql() -> bool:
    return op.get_context().dialect.name == "postgresql"


def _name(table: str, action: str) -> str:
    return f"{table}_refuse_{action.lower()}"
