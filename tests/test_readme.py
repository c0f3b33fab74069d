"""The README stays true: its settings are the settings, its links lead somewhere, its commands exist."""

import re
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.__main__ import cli
from app.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text()


def test_the_settings_table_lists_every_setting_and_no_other() -> None:
    listed = re.findall(r"^\| `FAREMETER_(\w+)` \|", README, re.MULTILINE)
    assert listed == [name.upper() for name in Settings.model_fields]


@pytest.mark.parametrize("target", sorted(set(re.findall(r"\]\(([^)#:]+)\)", README))))
def test_every_link_leads_to_a_file(target: str) -> None:
    assert (ROOT / target).exists()


@pytest.mark.parametrize("words", sorted(set(re.findall(r"\bfaremeter ([a-z]+(?: [a-z]+\b)?)", README))))
def test_every_command_that_is_named_exists(words: str) -> None:
    result = CliRunner().invoke(cli, [*words.split(), "--help"])
    assert result.exit_code == 0, result.output
