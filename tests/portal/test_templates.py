"""The templates and the stylesheet among themselves: what one of them makes, another uses."""

import re
from collections import Counter

import pytest

from tests.portal.catalogue import PORTAL

_FOLDER = PORTAL / "templates"
TEMPLATES = {file.relative_to(_FOLDER).as_posix(): file.read_text() for file in sorted(_FOLDER.rglob("*.html"))}
STYLES = re.sub(r"/\*.*?\*/", "", (PORTAL / "static" / "portal.css").read_text(), flags=re.DOTALL)
_IMPORT = re.compile(r"\{% from \"[^\"]+\" import ([^%]*?)(?: with context)? %\}")
_DONE = re.compile(r"\?done=([\w-]+)\"|_done\(\w+, \"([\w-]+)\"\)")
_CLASS = re.compile(r"\.(-?[a-z][\w-]*)")
_MADE_BY = {"htmx-request": "htmx", "code-": "a tab's name", "method-": "a method's name"}


@pytest.mark.parametrize("name", TEMPLATES)
def test_a_template_uses_what_it_imports(name: str) -> None:
    rest = _IMPORT.sub("", TEMPLATES[name])
    imported = [
        each.split(" as ")[-1].strip() for names in _IMPORT.findall(TEMPLATES[name]) for each in names.split(",")
    ]
    assert [each for each in imported if not re.search(rf"\b{each}\(", rest)] == []


def test_a_page_that_leads_on_with_a_word_is_followed_by_one_that_says_it() -> None:
    sources = "".join(file.read_text() for file in PORTAL.rglob("*.py"))
    words = {word for found in _DONE.findall(sources) for word in found if word}
    assert len(words) > 10
    told = "".join(text for text in TEMPLATES.values() if "done_alert" in text)
    # A mail on its way has a page of its own.
    assert {word for word in words if f'"{word}": _(' not in told} == {"sent"}


def test_the_stylesheet_says_nothing_twice() -> None:
    without_media = re.sub(r"@media[^{]*\{(?:[^{}]*\{[^{}]*\})*[^{}]*\}", "", STYLES)
    selectors = Counter(" ".join(each.split()) for each in re.findall(r"([^{}]+)\{", without_media))
    del selectors[":root"]
    assert [selector for selector, times in selectors.items() if times > 1] == []


def test_every_class_of_the_stylesheet_is_on_a_page() -> None:
    scripts = "".join(file.read_text() for file in (PORTAL / "static").glob("*.js"))
    used = set(re.findall(r"[\w-]+", scripts + "".join(TEMPLATES.values())))
    selectors = " ".join(re.findall(r"([^{}]+)\{", STYLES))
    classes = {each for each in _CLASS.findall(selectors) if not each.startswith(tuple(_MADE_BY))}
    assert {each for each in classes if each not in used} == set()
