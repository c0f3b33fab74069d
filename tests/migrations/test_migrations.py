"""The migrations make exactly the schema that the tables declare, forwards and backwards, on both databases."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import CheckConstraint, Connection, Engine, inspect, text
from sqlalchemy.exc import IntegrityError

from app.accounts.password import password_matches
from app.database import Base, Database
from tests.schema import connected, migration_config


@pytest.fixture(params=["sqlite", "postgresql"])
def connection(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Connection]:
    """A connection to a database without any table."""
    url = (
        f"sqlite:///{tmp_path / 'empty.db'}"
        if request.param == "sqlite"
        else request.getfixturevalue("empty_postgres_url")
    )
    with connected(url) as connection:
        yield connection


def tables_of(bind: Connection | Engine) -> set[str]:
    return set(inspect(bind).get_table_names()) - {"alembic_version", "usage_events_default"}


def test_upgrading_makes_every_declared_table(connection: Connection) -> None:
    command.upgrade(migration_config(connection), "head")
    assert tables_of(connection) == set(Base.metadata.tables)


def test_the_whole_way_down_leaves_nothing_and_up_again_everything(connection: Connection) -> None:
    config = migration_config(connection)
    command.upgrade(config, "head")
    command.downgrade(config, "base")
    assert tables_of(connection) == set()
    command.upgrade(config, "head")
    assert tables_of(connection) == set(Base.metadata.tables)


def test_who_had_no_password_gets_one_that_nobody_knows_on_the_way_down(connection: Connection) -> None:
    config = migration_config(connection)
    command.upgrade(config, "head")
    created_at = "now()" if connection.dialect.name == "postgresql" else "0"
    insert = (
        f"INSERT INTO users (id, email, operator, created_at) VALUES ('user_1', 'a@b.example', false, {created_at})"
    )
    connection.execute(text(insert))
    connection.commit()
    command.downgrade(config, "0003")
    stored = connection.scalar(text("SELECT password_hash FROM users"))
    assert not password_matches("none", stored)  # and the hash can be read


@pytest.mark.parametrize(
    "fields",
    [
        {"purpose": "invitation"},
        {"purpose": "sign_up", "account_name": "'A'", "role": "'owner'"},
        {"purpose": "sign_up"},
        {"purpose": "reset", "account_name": "'A'"},
        {"purpose": "reset", "invited_by": "'user_1'"},
        {"purpose": "email_change"},
    ],
    ids=str,
)
def test_a_link_has_the_fields_of_its_purpose(database: Database, fields: dict[str, str]) -> None:
    row = {"id": "'lnk_1'", "digest": "'d'", "email": "'a@b.example'", "language": "'en'", "zone": "'UTC'"}
    instant = "0" if database.dialect == "sqlite" else "now()"
    row |= fields | {"purpose": f"'{fields['purpose']}'", "created_at": instant, "expires_at": instant}
    statement = f"INSERT INTO mailed_links ({', '.join(row)}) VALUES ({', '.join(row.values())})"
    with pytest.raises(IntegrityError, match="fields_of_purpose"), database.engine.begin() as connection:
        connection.execute(text(statement))


def test_upgrading_twice_changes_nothing(connection: Connection) -> None:
    config = migration_config(connection)
    command.upgrade(config, "head")
    command.upgrade(config, "head")
    command.check(config)


def test_the_schema_is_what_the_tables_declare(database: Database) -> None:
    with database.engine.connect() as connection:
        command.check(migration_config(connection))


def test_a_partition_of_a_month_is_not_a_difference(connection: Connection) -> None:
    config = migration_config(connection)
    command.upgrade(config, "head")
    if connection.dialect.name == "postgresql":
        connection.execute(
            text("CREATE TABLE usage_events_2026_03 PARTITION OF usage_events FOR VALUES FROM ('evt_a') TO ('evt_b')")
        )
        connection.commit()
    command.check(config)


def test_every_declared_check_constraint_is_in_the_database(database: Database) -> None:
    inspector = inspect(database.engine)
    for table in Base.metadata.tables.values():
        declared = {str(item.name) for item in table.constraints if isinstance(item, CheckConstraint)}
        found = {item["name"] for item in inspector.get_check_constraints(table.name)}
        assert found == declared, table.name


def test_usage_events_are_partitioned_by_id_with_a_default(empty_postgres_url: str) -> None:
    with connected(empty_postgres_url) as connection:
        command.upgrade(migration_config(connection), "head")
        key = connection.scalar(text("SELECT pg_get_partkeydef('usage_events'::regclass)"))
        partitions = connection.scalars(
            text("SELECT inhrelid::regclass::text FROM pg_inherits WHERE inhparent = 'usage_events'::regclass")
        ).all()
    assert (key, partitions) == ("RANGE (id)", ["usage_events_default"])


def test_ids_sort_by_bytes_whatever_the_collation(empty_postgres_url: str) -> None:
    with connected(empty_postgres_url) as connection:
        command.upgrade(migration_config(connection), "head")
        collation = connection.scalar(
            text(
                "SELECT collation_name FROM information_schema.columns"
                " WHERE table_name = 'usage_events' AND column_name = 'id'"
            )
        )
    assert collation == "C"


def test_foreign_keys_hold_again_after_a_migration_of_sqlite(tmp_path: Path) -> None:
    with connected(f"sqlite:///{tmp_path / 'faremeter.db'}") as connection:
        command.upgrade(migration_config(connection), "head")
        with pytest.raises(IntegrityError):
            connection.execute(
                text(
                    "INSERT INTO plan_versions (id, plan_id, version, document, sha256, published_at)"
                    " VALUES ('plv_1', 'nobody', 1, '{}', :sha256, 0)"
                ),
                {"sha256": "0" * 64},
            )
