from pathlib import Path

import pytest

from app.pricing.plan_file import parse_plan

EXAMPLES = sorted((Path(__file__).parents[2] / "plans").glob("*.toml"))


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_an_example_plan_can_be_published_under_the_name_of_its_file(file: Path) -> None:
    plan = parse_plan(file.read_text(encoding="utf-8"))
    assert plan.key == file.stem
    assert plan.prices
