"""The journal never changes, but for the entry of a quarter of an hour of usage, whose postings grow while it lasts."""

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

_OF_USAGE = "EXISTS (SELECT 1 FROM journal_entries WHERE id = OLD.entry_id AND source_kind = 'usage')"
_GROWS = (
    "NEW.entry_id = OLD.entry_id AND NEW.ledger_account = OLD.ledger_account AND NEW.grant_id = OLD.grant_id"
    " AND abs(NEW.amount_nanos) >= abs(OLD.amount_nanos)"
)
# (table, what is refused, when, why): conditions are written so that both databases read them.
_RULES = (
    ("journal_entries", "UPDATE", "TRUE", "a journal entry is never changed"),
    ("journal_entries", "DELETE", "TRUE", "a journal entry is never changed"),
    ("postings", "UPDATE", f"NOT ({_OF_USAGE} AND {_GROWS})", "a posting is never changed; of usage it grows"),
    ("postings", "DELETE", "TRUE", "a posting is never changed"),
    ("credit_grants", "DELETE", "TRUE", "a credit grant is never deleted"),
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
