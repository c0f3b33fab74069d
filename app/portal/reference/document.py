"""The OpenAPI document as what a page shows: groups of operations with their parameters, bodies and answers (pure)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from app.portal.reference.schema import Field, fields_of, type_text

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Parameter:
    """`place` is where it stands: path, query or header."""

    place: str
    field: Field


@dataclass(frozen=True, slots=True)
class Content:
    """A body in one media type: its fields, or its kind where it has none; and an example where one is given."""

    media_type: str
    kind: str
    fields: tuple[Field, ...]
    example: str | None


@dataclass(frozen=True, slots=True)
class Answer:
    """`status` is a number, or `default` for every error."""

    status: str
    text: str
    contents: tuple[Content, ...]


@dataclass(frozen=True, slots=True)
class Operation:
    """`credentials` names what a caller may prove itself with; none means that everybody may call."""

    id: str
    method: str
    path: str
    title: str
    text: str
    credentials: tuple[str, ...]
    parameters: tuple[Parameter, ...]
    bodies: tuple[Content, ...]
    answers: tuple[Answer, ...]


@dataclass(frozen=True, slots=True)
class Group:
    """The operations of one tag."""

    name: str
    operations: tuple[Operation, ...]


def groups_of(document: Node) -> tuple[Group, ...]:
    """Return the operations by their first tag, in the order of the document."""
    groups: dict[str, list[Operation]] = {}
    for tag, operation in _operations_of(document):
        groups.setdefault(tag, []).append(operation)
    return tuple(Group(name, tuple(operations)) for name, operations in groups.items())


def _operations_of(document: Node) -> Iterator[tuple[str, Operation]]:
    for path, methods in document["paths"].items():
        for method, node in methods.items():
            yield node["tags"][0], _operation_of(document, path, method, node)


def _operation_of(document: Node, path: str, method: str, node: Node) -> Operation:
    return Operation(
        id=node["operationId"],
        method=method.upper(),
        path=path,
        title=node["summary"],
        text=node.get("description", ""),
        credentials=tuple(name for requirement in node.get("security", ()) for name in requirement),
        parameters=tuple(_parameter_of(document, each) for each in node.get("parameters", ())),
        bodies=_contents_of(document, node.get("requestBody", {})),
        answers=tuple(
            Answer(status, _own_words(answer), _contents_of(document, answer))
            for status, answer in node["responses"].items()
        ),
    )


def _own_words(answer: Node) -> str:
    """Return what we say of an answer; of a success that nothing is said of, the framework says that it is one."""
    text: str = answer.get("description", "")
    return "" if text == "Successful Response" else text


def _parameter_of(document: Node, node: Node) -> Parameter:
    schema = node.get("schema", {})
    text = node.get("description") or schema.get("description", "")
    field = Field(node["name"], type_text(document, schema), node.get("required", False), text)
    return Parameter(node["in"], field)


def _contents_of(document: Node, node: Node) -> tuple[Content, ...]:
    return tuple(
        Content(
            media_type=media_type,
            kind=type_text(document, content.get("schema", {})),
            fields=tuple(fields_of(document, content.get("schema", {}))),
            example=json.dumps(content["example"]) if "example" in content else None,
        )
        for media_type, content in node.get("content", {}).items()
    )
