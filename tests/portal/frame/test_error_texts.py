"""Errors in words for people: every one that a page can meet has them."""

from collections.abc import Iterator

import app.main  # noqa: F401 - with it, every module that raises for a page is there
from app.errors import AppError
from app.portal.frame.error_texts import TEXTS, error_text
from app.portal.frame.preferences import Language
from app.portal.frame.translations import translations
from tests.portal.catalogue import LANGUAGES

# Programs meet these, or nobody: what reads a call's body and key, what goes on behind the pages, and the kinds
# themselves, whose detail says what is wrong, in English.
WITHOUT_TEXT = {
    "account_opened_already",
    "archive_invalid",
    "archive_too_new",
    "backup_file_unusable",
    "body_invalid",
    "budget_loosened",
    "cancelled",
    "conflict",
    "constraint_violated",
    "database_not_empty",
    "device_not_declared",
    "draining",
    "forbidden",
    "invalid",
    "invariant_violation",
    "length_invalid",
    "limits_loosened",
    "mail_not_delivered",
    "mail_refused",
    "manifest_invalid",
    "measured_on_several_devices",
    "media_type_unsupported",
    "nothing_measured",
    "other_server_lives",
    "schema_outdated",
    "scope_escalation",
    "scope_missing",
    "unavailable",
}


def errors_below(error: type[AppError]) -> Iterator[type[AppError]]:
    for each in error.__subclasses__():
        yield each
        yield from errors_below(each)


def codes_of_pages() -> set[str]:
    elsewhere = (
        "app.commands",
        "app.training",
        "app.inference.runner",
        "app.inference.weights",
        "app.inference.download",
        "app.quickstart",
    )
    return {
        each.code
        for each in errors_below(AppError)
        if each.__module__.startswith("app.") and not each.__module__.startswith(elsewhere)
    }


def test_an_error_has_a_text_or_is_known_to_need_none() -> None:
    assert codes_of_pages() - set(TEXTS) - WITHOUT_TEXT == set()


def test_a_text_is_not_written_for_an_error_that_is_said_to_need_none() -> None:
    assert set(TEXTS) & WITHOUT_TEXT == set()


def test_an_error_is_told_in_the_language_of_the_reader() -> None:
    for code in TEXTS:
        error = type("Told", (AppError,), {"code": code})("it is in English")
        for language in LANGUAGES:
            told = error_text(error, translations(language))
            assert told not in {"it is in English", error_text(error, translations(Language.ENGLISH))}, code
