"""Every text of the pages is translated, whole and with its placeholders, and no page shows one that is not."""

import re
from pathlib import Path

import pytest
from babel.messages.catalog import Message

from app.members.mail_text import WORDS, MailKind, Words
from app.portal.frame.preferences import Language
from tests.portal.catalogue import LANGUAGES, PORTAL, extracted, messages_of, stored
from tests.portal.visible_text import NAMES, untranslated

TEMPLATES = sorted((PORTAL / "templates").rglob("*.html"))
_PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|%[sd]|\{\w*\}")
_WORD = re.compile(r"[^\W\d_]+")
_HAN = re.compile(r"[\u4e00-\u9fff]")


def ids_of(messages: list[Message]) -> set[tuple[str | None, str]]:
    return {(message.context, str(message.id)) for message in messages}


def texts(value: str | tuple[str, ...] | list[str] | None) -> list[str]:
    return [value or ""] if isinstance(value, str) or value is None else list(value)


def placeholders(text: str) -> set[str]:
    return set(_PLACEHOLDER.findall(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_catalogue_has_the_texts_of_the_pages_and_no_others(language: Language) -> None:
    wanted, present = ids_of(messages_of(extracted())), ids_of(messages_of(stored(language)))
    assert wanted
    assert wanted - present == set(), "run `make messages`, and translate what it adds"
    assert present - wanted == set(), "run `make messages`"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_text_is_translated_and_none_is_a_guess(language: Language) -> None:
    messages = messages_of(stored(language))
    assert [message.id for message in messages if not all(texts(message.string)) or message.fuzzy] == []


def test_a_text_with_a_count_has_a_plural() -> None:
    counts = {"%(count)s", "%(seconds)s"}
    single = [message.id for message in messages_of(extracted()) if isinstance(message.id, str)]
    assert [text for text in single if placeholders(text) & counts] == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_translation_has_the_placeholders_of_its_text(language: Language) -> None:
    for message in messages_of(stored(language)):
        wanted = set().union(*map(placeholders, texts(message.id)))
        for translation in filter(None, texts(message.string)):
            assert placeholders(translation) == wanted, message.id


def test_what_is_said_in_chinese_is_chinese() -> None:
    english = [
        message.id
        for message in messages_of(stored(Language.CHINESE))
        if any(text and not _HAN.search(text) for text in texts(message.string))
        and set(_WORD.findall(_PLACEHOLDER.sub("", texts(message.id)[0]))) - NAMES
    ]
    assert english == []


def words_of(words: Words) -> list[str]:
    return [words.subject, *words.paragraphs, words.action, words.closing]


@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_says_the_same_in_every_language(kind: MailKind) -> None:
    assert set(WORDS[kind]) == set(Language)
    wanted = [placeholders(text) for text in words_of(WORDS[kind][Language.ENGLISH])]
    for language in LANGUAGES:
        assert [placeholders(text) for text in words_of(WORDS[kind][language])] == wanted
        assert all(_HAN.search(text) for text in words_of(WORDS[kind][Language.CHINESE]))


@pytest.mark.parametrize("template", TEMPLATES, ids=lambda file: file.name)
def test_a_template_shows_no_text_outside_of_a_translation(template: Path) -> None:
    assert untranslated(template.read_text()) == []


@pytest.mark.parametrize(
    ("template", "found"),
    [
        ("<p>Hello</p>", ["Hello"]),
        ("<p>{{ name }}: <b>paid</b></p>", ["paid"]),
        ('<img src="x" alt="A picture">', ["A picture"]),
        ('<input placeholder="name" class="wide input">', ["name"]),
        ("{% if x %}yes{% endif %}", ["yes"]),
        ("<pre>x</pre><p>after code</p>", ["after code"]),
        ('{{ field("email", "Address") }}', ["Address"]),
        ('{{ "Open" if x else _("Closed") }}', ["Open"]),
        ('{{ note("is not paid.") }}', ["is not paid."]),
    ],
)
def test_a_text_outside_of_a_translation_is_found(template: str, found: list[str]) -> None:
    assert untranslated(template) == found


@pytest.mark.parametrize(
    "template",
    [
        "<p>{{ _('Hello') }} · {{ 3 }} €</p>",
        "{% trans count %}One key{% pluralize %}{{ count }} keys{% endtrans %}",
        "{# A comment. #}<code>curl -s</code><title>{{ name }} · Faremeter</title>",
        '<a class="btn btn-primary" href="/app" title="{{ _(\'Your account\') }}">{{ icon("key") }}</a>',
        '{{ field("email", _("Address"), type="email") }}',
        '{% block room %}/app/keys{% endblock %}<input placeholder="acct_…">',
        '{{ field("currency", _("Currency"), attributes={"pattern": "[A-Za-z]{3}"}) }}',
    ],
)
def test_what_is_translated_or_a_name_is_not_found(template: str) -> None:
    assert untranslated(template) == []
