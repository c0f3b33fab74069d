from pathlib import Path

import pytest
from hypothesis import given

from app.pricing.plan import PlanDraft
from app.pricing.plan_file import parse_plan
from app.pricing.plan_text import write_plan
from tests.pricing.plan_strategies import plan_drafts


@given(plan_drafts())
def test_what_is_written_reads_as_the_plan_it_was_written_of(draft: PlanDraft) -> None:
    assert parse_plan(write_plan(draft)) == draft


@pytest.mark.parametrize("file", sorted(Path("plans").glob("*.toml")), ids=lambda file: file.name)
def test_the_examples_come_back_as_they_are(file: Path) -> None:
    plan = parse_plan(file.read_text(encoding="utf-8"))
    assert parse_plan(write_plan(plan)) == plan
