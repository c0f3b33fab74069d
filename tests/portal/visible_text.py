"""What a template shows that no catalogue translates: letters of its HTML, and texts that it hands to its macros."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser

from jinja2 import Environment, nodes

# Names are the same in every language.
NAMES = frozenset({"Faremeter", "cURL", "Python", "JavaScript", "PyTorch", "UTC", "CSV", "PDF", "API", "JSON"})
_SHOWN_ATTRIBUTES = frozenset({"title", "alt", "placeholder", "aria-label", "aria-description", "label"})
_CODE = frozenset({"code", "pre", "kbd", "samp", "script", "style"})
_TRANSLATES = frozenset({"_", "gettext", "ngettext", "pgettext"})

_BLOCK_OF_TEXT = re.compile(r"\{%-?\s*trans\b.*?\{%-?\s*endtrans\s*-?%\}", re.DOTALL)
_TEMPLATE_SYNTAX = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}", re.DOTALL)
_WORD = re.compile(r"[^\W\d_]+")
# `/app/keys` and `acct_…` are the same in every language too.
_PATH_OR_ID = re.compile(r"(?<!\S)(/[\w./-]*|[a-z]+_\S*)(?!\S)")
_SENTENCE = re.compile(r"(^|\s)\W?[A-Z][a-z]|[^\W\d_]\s.*[.!?]$")
_SYNTAX = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)


def untranslated(template: str) -> list[str]:
    """Return every text that a reader of another language would find in English."""
    html = _TEMPLATE_SYNTAX.sub(" ", _BLOCK_OF_TEXT.sub(" ", template))
    reader = _Reader()
    reader.feed(html)
    reader.close()
    return [*reader.found, *_handed_on(template)]


class _Reader(HTMLParser):
    """Collects texts and the attributes that are read to people, code aside: it is the same in every language."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._code_depth = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._code_depth += tag in _CODE
        for name, value in attrs:
            if name in _SHOWN_ATTRIBUTES:
                self._note(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._code_depth -= tag in _CODE

    def handle_data(self, data: str) -> None:
        if not self._code_depth:
            self._note(data)

    def _note(self, text: str) -> None:
        if set(_WORD.findall(_PATH_OR_ID.sub("", text))) - NAMES:
            self.found.append(" ".join(text.split()))


def _handed_on(template: str) -> Iterator[str]:
    """Yield literals of expressions that read like a text: `Name`, or a sentence. Classes and keys are lower case."""
    syntax = _SYNTAX.parse(template)
    translated = {id(part) for call in _translations(syntax) for part in call.find_all(nodes.Const)}
    for literal in syntax.find_all(nodes.Const):
        text = literal.value
        if isinstance(text, str) and id(literal) not in translated and text not in NAMES and _SENTENCE.search(text):
            yield text


def _translations(syntax: nodes.Template) -> Iterator[nodes.Call]:
    for call in syntax.find_all(nodes.Call):
        if isinstance(call.node, nodes.Name) and call.node.name in _TRANSLATES:
            yield call
