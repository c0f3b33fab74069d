"""The texts of the pages in each language: gettext catalogues, compiled from their `.po` files at first use."""

import io
from functools import cache
from pathlib import Path

from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from babel.support import NullTranslations, Translations

from app.portal.frame.preferences import Language

LOCALES = Path(__file__).parents[1] / "locales"


@cache
def translations(language: Language) -> NullTranslations:
    """Return the catalogue of a language; English is what the sources say."""
    file = LOCALES / f"{language}.po"
    if language is Language.ENGLISH or not file.exists():
        return NullTranslations()
    with file.open("rb") as source:
        catalogue = read_po(source, locale=language)
    compiled = io.BytesIO()
    write_mo(compiled, catalogue)
    compiled.seek(0)
    return Translations(compiled)


def mark(text: str) -> str:
    """Mark a text for the catalogue where it is written; it is translated where it is shown."""
    return text
