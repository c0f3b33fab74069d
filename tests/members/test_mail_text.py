"""Mails say the same in every language, and nothing in them is markup that somebody else wrote."""

import string

import pytest

from app.members.mail_text import LANGUAGES, WORDS, MailKind, Words, write_mail

URL = "https://meter.example/join/token"


def placeholders(words: Words) -> set[str | None]:
    texts = [words.subject, *words.paragraphs, words.action, words.closing]
    return {name for text in texts for _, name, _, _ in string.Formatter().parse(text)} - {None}


@pytest.mark.parametrize("kind", MailKind)
def test_every_mail_is_there_in_every_language_with_the_same_facts(kind: MailKind) -> None:
    words = WORDS[kind]
    assert tuple(words) == LANGUAGES == ("en", "zh")
    assert len({frozenset(placeholders(each)) for each in words.values()}) == 1
    assert len({len(each.paragraphs) for each in words.values()}) == 1
    assert not [letter for text in words["en"].paragraphs for letter in text if letter > "\u2fff"]
    assert words["zh"].subject != words["en"].subject


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("kind", MailKind)
def test_a_mail_holds_its_link_in_both_forms(kind: MailKind, language: str) -> None:
    mail = write_mail(kind, language, url=URL, account="Ada Inc", email="new@example.com", issuer="https://p")
    assert f"\n{URL}\n" in mail.text
    assert f'<a href="{URL}">' in mail.html
    assert f'<html lang="{language}">' in mail.html
    assert "{" not in mail.text + mail.html + mail.subject


def test_an_unknown_language_is_english() -> None:
    assert write_mail(MailKind.RESET, "tlh", url=URL) == write_mail(MailKind.RESET, "en", url=URL)


def test_a_name_is_text_and_never_markup_or_a_format() -> None:
    mail = write_mail(MailKind.INVITATION, "en", url=URL, account='<script>{email}</script>"')
    assert "<script>" not in mail.html
    assert "&lt;script&gt;{email}" in mail.html
