"""Icons are named literally in templates, directly or through macros, and a wrong name ends the build."""

from pathlib import Path

import pytest

from frontend.build import PACKAGES, sprite
from frontend.icon_names import BuildError, icon_names

ICONS = PACKAGES / "@tabler/icons/icons/outline"
MACRO = "{% macro icon(name) %}<svg></svg>{% endmacro %}"


def names_in(folder: Path, *templates: str) -> list[str]:
    files = [folder / f"{number}.html" for number in range(len(templates))]
    for file, text in zip(files, templates, strict=True):
        file.write_text(text)
    return icon_names(files)


@pytest.mark.parametrize(
    "template",
    [
        '{{ icon("key") }}',
        "{{ icon('key', 2) }}",
        '{{ icon(name="key") }}',
        '{% if x %}{{ button(icon("key"), _("Keys")) }}{% endif %}',
        '{% trans %}Keys{% endtrans %}{{ icon("key") }}',
    ],
)
def test_a_name_is_found_wherever_an_icon_stands(tmp_path: Path, template: str) -> None:
    assert names_in(tmp_path, MACRO, template) == ["key"]


def test_a_name_is_found_through_macros_that_hand_it_on(tmp_path: Path) -> None:
    room = "{% macro room(path, icon_name) %}{{ icon(icon_name) }}{% endmacro %}"
    wing = '{% macro wing(which) %}{{ room("/", which) }}{{ icon("home") }}{% endmacro %}'
    assert names_in(tmp_path, wing, room, MACRO, '{{ room("/x", "key") }}{{ wing("users") }}') == [
        "home",
        "key",
        "users",
    ]


@pytest.mark.parametrize("template", ["{{ icon(name) }}", '{{ icon("a" if x else "b") }}', "{{ icon(3) }}"])
def test_a_name_that_is_not_literal_ends_the_build(tmp_path: Path, template: str) -> None:
    with pytest.raises(BuildError, match="line 1: an icon is named literally"):
        names_in(tmp_path, template)


def test_an_unknown_name_ends_the_build() -> None:
    with pytest.raises(BuildError, match="no-such-icon"):
        sprite(["key", "no-such-icon"], ICONS)


def test_the_sprite_has_a_symbol_for_each_icon_and_draws_in_the_colour_of_the_text() -> None:
    text = sprite(["key", "users"], ICONS).decode()
    assert text.count("<symbol ") == text.count('stroke="currentColor"') == 2
    assert '<symbol id="users" viewBox="0 0 24 24" fill="none"' in text
