"""The catalogue of the pages' texts, as the sources have them. `make messages` brings the `.po` files up to date.

They name no line and no date: they change where a text does, and only there.
"""

import io
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

from app.portal.frame.preferences import Language
from tests.architecture.source_tree import ROOT

PORTAL = ROOT / "app" / "portal"
LANGUAGES = [language for language in Language if language is not Language.ENGLISH]  # English is in the sources

_METHODS = [("**.py", "python"), ("templates/**.html", "jinja2")]
_OPTIONS = {"templates/**.html": {"silent": "false", "newstyle_gettext": "true", "trimmed": "true"}}
_KEYWORDS = {"_": None, "gettext": None, "mark": None, "ngettext": (1, 2), "pgettext": ((1, "c"), 2)}
_HEADER = "# The texts of the pages. `make messages` adds what is new and drops what is gone; translate it here."
_HEADER_FIELDS = ("Language:", "Plural-Forms:", "MIME-Version:", "Content-Type:", "Content-Transfer-Encoding:")


def extracted() -> Catalog:
    """Return every text of the pages, untranslated."""
    catalogue = Catalog()
    found = extract_from_dir(PORTAL, _METHODS, _OPTIONS, _KEYWORDS, strip_comment_tags=True)
    for file, _, text, comments, context in found:
        catalogue.add(text, locations=[(file, 0)], auto_comments=comments, context=context)
    return catalogue


def file_of(language: Language) -> Path:
    return PORTAL / "locales" / f"{language}.po"


def stored(language: Language) -> Catalog:
    """Return what is translated into the language."""
    file = file_of(language)
    if not file.exists():
        return Catalog(language)
    with file.open("rb") as source:
        return read_po(source, locale=language)


def messages_of(catalogue: Catalog) -> list[Message]:
    """Return the messages without the header."""
    return [message for message in catalogue if message.id]


def update(language: Language) -> None:
    """Add what is new, untranslated; drop what is gone; leave every translation alone."""
    catalogue = stored(language)
    catalogue.update(extracted(), no_fuzzy_matching=True)
    catalogue.header_comment, catalogue.fuzzy = _HEADER, False
    written = io.BytesIO()
    write_po(written, catalogue, width=120, sort_by_file=True, ignore_obsolete=True, include_lineno=False)
    head, blank, rest = written.getvalue().decode().partition("\n\n")
    lines = [line for line in head.splitlines() if not line.startswith('"') or line[1:].startswith(_HEADER_FIELDS)]
    file_of(language).parent.mkdir(exist_ok=True)
    file_of(language).write_text("\n".join(lines) + blank + rest)


if __name__ == "__main__":
    for each in LANGUAGES:
        update(each)
