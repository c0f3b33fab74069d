"""JSON schemas in words: `integer (1 to 31)`, `list of string`; members by their path: `usage.units` (pure)."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

Node = Mapping[str, Any]
_DEPTH_MAX = 6


@dataclass(frozen=True, slots=True)
class Field:
    """A member of a body or a parameter; `name` is its path: `usage.units`, `lines[].amount`."""

    name: str
    kind: str
    required: bool
    text: str


def type_text(document: Node, schema: Node) -> str:
    """Return what a value may be."""
    schema = _resolved(document, schema)
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(type_text(document, each) for each in schema["anyOf"]))
    if "enum" in schema:
        return " | ".join(str(each) for each in schema["enum"])
    if "const" in schema:
        return str(schema["const"])
    if schema.get("type") == "array":
        return _list_text(document, schema)
    kind = schema.get("type", "any")
    limits = ", ".join(_limits_of(schema))
    return (" or ".join(kind) if isinstance(kind, list) else kind) + (f" ({limits})" if limits else "")


def _list_text(document: Node, schema: Node) -> str:
    items = type_text(document, schema["items"]) if schema.get("items") else "any"
    return f"list of {items}" + (f", at most {schema['maxItems']} of them" if "maxItems" in schema else "")


def fields_of(document: Node, schema: Node, prefix: str = "", depth: int = 0) -> Iterator[Field]:
    """Return every member of an object, those of its objects and lists of objects included."""
    schema = _resolved(document, schema)
    if depth > _DEPTH_MAX:
        return
    required = schema.get("required", ())
    for name, node in schema.get("properties", {}).items():
        inner = _resolved(document, node)
        text = node.get("description") or inner.get("description", "")
        yield Field(prefix + name, type_text(document, inner), name in required, text)
        if inner.get("type") == "array":
            yield from fields_of(document, inner.get("items", {}), f"{prefix}{name}[].", depth + 1)
        else:
            yield from fields_of(document, inner, f"{prefix}{name}.", depth + 1)


def _limits_of(schema: Node) -> Iterator[str]:
    if schema.get("format"):
        yield schema["format"]
    if "minimum" in schema and "maximum" in schema:
        yield f"{schema['minimum']:g} to {schema['maximum']:g}"
    elif "minimum" in schema:
        yield f"at least {schema['minimum']:g}"
    elif "maximum" in schema:
        yield f"at most {schema['maximum']:g}"
    if "maxLength" in schema:
        yield f"at most {schema['maxLength']} characters"
    if schema.get("default") is not None:
        yield f"default {json.dumps(schema['default'])}"


def _resolved(document: Node, schema: Node) -> Node:
    """Follow `$ref`; what stands beside it is kept."""
    if "$ref" not in schema:
        return schema
    place: Any = document
    for part in schema["$ref"].removeprefix("#/").split("/"):
        place = place[part]
    return {**_resolved(document, place), **{key: value for key, value in schema.items() if key != "$ref"}}
