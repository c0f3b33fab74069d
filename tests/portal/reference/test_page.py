"""The API reference says what `/openapi.json` says, in both languages, and names every error."""

import html

import pytest

from app.errors import AppError, Kind
from app.portal.reference.document import groups_of
from app.portal.reference.error_codes import error_codes
from app.portal.reference.schema import fields_of, type_text
from tests.api.installation import Installation
from tests.portal.browser import Browser, text_of


@pytest.mark.parametrize("language", ["en", "zh"])
async def test_every_route_with_its_parameters_stands_there(portal: Installation, language: str) -> None:
    page = await Browser(portal, language).get("/docs")
    shown = html.unescape(page.text)
    operations = [operation for group in groups_of(portal.app.openapi()) for operation in group.operations]
    assert len(operations) == sum(len(methods) for methods in portal.app.openapi()["paths"].values())
    for operation in operations:
        assert f'id="{operation.id}"' in shown
        assert f"<code>{operation.path}</code>" in shown
        for parameter in operation.parameters:
            assert f"<code>{parameter.field.name}</code>" in shown
        for content in operation.bodies:
            assert f"<code>{content.media_type}</code>" in shown


async def test_no_page_of_the_portal_is_part_of_the_api(portal: Installation) -> None:
    others = {path for path in portal.app.openapi()["paths"] if not path.startswith("/v1/")}
    assert others == {"/livez", "/readyz", "/metrics"}


async def test_the_members_of_bodies_and_answers_are_named(portal: Installation) -> None:
    text = text_of(await Browser(portal).get("/docs"))
    assert "usage.amount string or null · required what the call costs, a decimal string; null" in text
    assert "grace_s integer (0 to 604800, default 0)" in text
    assert "Needs a key." in text
    assert "For operators: a key with the scope admin" in text


async def test_every_code_that_the_api_can_answer_with_is_listed(portal: Installation) -> None:
    text = text_of(await Browser(portal).get("/docs"))
    codes = {each.code: each for each in error_codes()}
    assert {"input_invalid", "idempotency_key_reused", "too_many_attempts", "wrong_credentials"} <= codes.keys()
    assert not {"request_forged", "rows_unreadable", "link_invalid"} & codes.keys()  # the portal's alone
    for each in codes.values():
        assert f"{each.status} {each.code} " in text


def test_an_error_class_is_found_wherever_it_stands() -> None:
    class Odd(AppError):
        """It is odd."""

        kind = Kind.CONFLICT
        code = "odd"

    assert "odd" not in {each.code for each in error_codes()}  # it is not of the program
    Odd.__module__ = "app.odd"
    assert ("odd", 409, "It is odd.") in {(each.code, each.status, each.text) for each in error_codes()}
    Odd.__module__ = __name__


@pytest.mark.parametrize(
    ("schema", "text"),
    [
        ({"type": "integer", "minimum": 1, "maximum": 31, "default": 1}, "integer (1 to 31, default 1)"),
        ({"type": ["string", "null"]}, "string or null"),
        ({"anyOf": [{"type": "string", "format": "date-time"}, {"type": "null"}]}, "string (date-time) or null"),
        ({"type": "array", "items": {"type": "string"}, "maxItems": 3}, "list of string, at most 3 of them"),
        ({"$ref": "#/components/Colour", "default": "red"}, "red | blue"),
        ({"type": "boolean", "default": False}, "boolean (default false)"),
        ({}, "any"),
    ],
)
def test_a_schema_is_said_in_words(schema: dict[str, object], text: str) -> None:
    document = {"components": {"Colour": {"enum": ["red", "blue"]}}}
    assert type_text(document, schema) == text


def test_a_schema_that_holds_itself_comes_to_an_end() -> None:
    document = {"tree": {"type": "object", "properties": {"below": {"$ref": "#/tree"}}}}
    assert len(list(fields_of(document, document["tree"]))) < 10
