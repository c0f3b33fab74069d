"""The watch that other tests rely on sees what writes."""

import pytest

from tests.portal.locks.database_watch import changes


@pytest.mark.parametrize(
    ("statement", "writes"),
    [
        ("SELECT 1", False),
        ("WITH a AS (SELECT updated_at FROM b) SELECT * FROM a", False),
        ("WITH a AS (SELECT 1) INSERT INTO b SELECT * FROM a", True),
        ("with a as (select 1)\nupdate b set c = 1", True),
        ("WITH gone AS (DELETE FROM b RETURNING *) SELECT * FROM gone", True),
        ("UPDATE b SET c = 1", True),
        ("VACUUM", True),
    ],
)
def test_what_may_write_is_told_from_what_reads(statement: str, writes: bool) -> None:
    assert changes(statement) is writes
