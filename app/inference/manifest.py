"""The manifest of a model: `model.toml`, read strictly, so that a typing mistake is an error and never a default."""

import re
import tomllib
from dataclasses import dataclass
from enum import StrEnum
from math import isfinite
from typing import Any, Literal, TypeVar

from app.errors import Invalid

FLOAT32_MAX = 3.4028234663852886e38
_NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")
Choice = TypeVar("Choice", bound=str)
_FIELD = re.compile(r"[a-z][a-z0-9_]{0,62}")


class ManifestInvalid(Invalid):
    """`model.toml` breaks a rule; `where` names the key."""

    code = "manifest_invalid"


@dataclass(frozen=True, slots=True)
class TensorInput:
    """An input is a row of `features` numbers, each within [minimum, maximum]; it reaches the predictor as float32.

    `example` is a row to try the model with.
    """

    features: int
    names: tuple[str, ...] = ()
    minimum: float = -FLOAT32_MAX
    maximum: float = FLOAT32_MAX
    example: tuple[float, ...] = ()

    @property
    def item_bytes(self) -> int:
        return 4 * self.features


@dataclass(frozen=True, slots=True)
class ImageInput:
    """An input is an image file; it reaches the predictor as uint8, crop x crop x 3 (RGB).

    Its shorter side is resized to `resize` pixels, then `crop` x `crop` pixels are cut from the centre.
    """

    resize: int
    crop: int
    file_bytes_max: int = 20_000_000
    pixels_max: int = 25_000_000


class FieldType(StrEnum):
    """What the field of an output holds."""

    NUMBER = "number"
    STRING = "string"


@dataclass(frozen=True, slots=True)
class OutputField:
    """A field that each output of a model has, and that a price may ask about."""

    name: str
    type: FieldType


@dataclass(frozen=True, slots=True)
class NumberOutput:
    """An output is one number, under this field name."""

    name: str

    @property
    def fields(self) -> tuple[OutputField, ...]:
        return (OutputField(self.name, FieldType.NUMBER),)


@dataclass(frozen=True, slots=True)
class ClassesOutput:
    """An output is a label with its probability, and the `top_k` best of `classes`."""

    classes: int
    top_k: int

    @property
    def fields(self) -> tuple[OutputField, ...]:
        return OutputField("label", FieldType.STRING), OutputField("probability", FieldType.NUMBER)


@dataclass(frozen=True, slots=True)
class Batching:
    """At most `items_max` inputs go through the network at once; a GPU pads to the next of `buckets` (ascending)."""

    items_max: int
    buckets: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a model declares: everything that is known of it without running it."""

    name: str
    title: str
    task: Literal["regression", "image-classification"]
    description: str
    unit: str
    input: TensorInput | ImageInput
    output: NumberOutput | ClassesOutput
    batching: Batching
    inputs_max: int
    device: Literal["auto", "cpu"]
    default_version: int


def parse_manifest(text: str) -> Manifest:
    """Read `model.toml`. Raises ManifestInvalid that names the key."""
    try:
        root = _Table(tomllib.loads(text), "")
    except tomllib.TOMLDecodeError as error:
        raise ManifestInvalid(f"not TOML: {error}", where="model.toml") from None
    manifest = Manifest(
        name=root.text("name", pattern=_NAME),
        title=root.text("title"),
        task=root.choice("task", "regression", "image-classification"),
        description=root.text("description"),
        unit=root.text("unit", pattern=_FIELD),
        input=_parse_input(root.table("input")),
        output=_parse_output(root.table("output")),
        batching=_parse_batching(root.table("batching")),
        inputs_max=root.integer("inputs_max", at_most=65_536),
        device=root.choice("device", "auto", "cpu", default="auto"),
        default_version=root.integer("default_version"),
    )
    root.refuse_the_rest()
    return manifest


def _parse_input(table: "_Table") -> TensorInput | ImageInput:
    spec: TensorInput | ImageInput
    if table.choice("kind", "tensor", "image") == "image":
        spec = ImageInput(
            resize=table.integer("resize", at_most=4096),
            crop=table.integer("crop", at_most=4096),
            file_bytes_max=table.integer("file_bytes_max", default=20_000_000, at_most=100_000_000),
            pixels_max=table.integer("pixels_max", default=25_000_000, at_most=100_000_000),
        )
        if spec.crop > spec.resize:
            raise ManifestInvalid(
                "is larger than input.resize", where="input.crop", hint="cut at most what was resized"
            )
    else:
        spec = _parse_tensor(table)
    table.refuse_the_rest()
    return spec


def _parse_tensor(table: "_Table") -> TensorInput:
    features = table.integer("features", at_most=1_000_000)
    names = table.texts("names")
    minimum = table.number("minimum", default=-FLOAT32_MAX)
    maximum = table.number("maximum", default=FLOAT32_MAX)
    if names and (len(names) != features or len(set(names)) != features):
        raise ManifestInvalid(f"must name all {features} features, each once", where="input.names")
    if minimum > maximum:
        raise ManifestInvalid("exceeds input.maximum", where="input.minimum")
    example = table.numbers("example")
    if example and (len(example) != features or not all(minimum <= value <= maximum for value in example)):
        raise ManifestInvalid(f"must be a row of {features} numbers within the bounds", where="input.example")
    return TensorInput(features, names, minimum, maximum, example)


def _parse_output(table: "_Table") -> NumberOutput | ClassesOutput:
    spec: NumberOutput | ClassesOutput
    if table.choice("kind", "number", "classes") == "number":
        spec = NumberOutput(table.text("name", pattern=_FIELD))
    else:
        spec = ClassesOutput(
            table.integer("classes", at_most=1_000_000), table.integer("top_k", default=5, at_most=1000)
        )
        if spec.top_k > spec.classes:
            raise ManifestInvalid(f"exceeds the {spec.classes} classes", where="output.top_k")
    table.refuse_the_rest()
    return spec


def _parse_batching(table: "_Table") -> Batching:
    batching = Batching(table.integer("items_max", at_most=65_536), table.integers("buckets"))
    ascending = all(lower < upper for lower, upper in zip(batching.buckets, batching.buckets[1:], strict=False))
    if batching.buckets and (not ascending or batching.buckets[-1] != batching.items_max):
        raise ManifestInvalid("must ascend and end with batching.items_max", where="batching.buckets")
    table.refuse_the_rest()
    return batching


class _Table:
    """A TOML table that is emptied while it is read; what is left at the end was not known."""

    def __init__(self, values: dict[str, Any], path: str) -> None:
        self._values = dict(values)
        self._path = path

    def text(self, key: str, *, pattern: re.Pattern[str] | None = None) -> str:
        value = self._take(key)
        if not isinstance(value, str) or not value.strip():
            raise self._fault(key, "must be a text")
        if pattern and not pattern.fullmatch(value):
            raise self._fault(key, f"{value!r} does not match {pattern.pattern}")
        return value

    def texts(self, key: str) -> tuple[str, ...]:
        values = self._take(key, default=[])
        if not isinstance(values, list) or not all(isinstance(value, str) and value for value in values):
            raise self._fault(key, "must be a list of texts")
        return tuple(values)

    def integer(self, key: str, *, default: int | None = None, at_most: int = 2**31) -> int:
        return self._whole(key, self._take(key, default=default), at_most)

    def integers(self, key: str) -> tuple[int, ...]:
        values = self._take(key, default=[])
        if not isinstance(values, list):
            raise self._fault(key, "must be a list of whole numbers")
        return tuple(self._whole(f"{key}[{place}]", value, 65_536) for place, value in enumerate(values))

    def number(self, key: str, *, default: float) -> float:
        return self._finite(key, self._take(key, default=default))

    def numbers(self, key: str) -> tuple[float, ...]:
        values = self._take(key, default=[])
        if not isinstance(values, list):
            raise self._fault(key, "must be a list of numbers")
        return tuple(self._finite(f"{key}[{place}]", value) for place, value in enumerate(values))

    def choice(self, key: str, *choices: Choice, default: Choice | None = None) -> Choice:
        value = self._take(key, default=default)
        for choice in choices:
            if value == choice:
                return choice
        raise self._fault(key, f"{value!r} is not one of {', '.join(choices)}")

    def table(self, key: str) -> "_Table":
        value = self._take(key)
        if not isinstance(value, dict):
            raise self._fault(key, "must be a table")
        return _Table(value, f"{self._path}{key}.")

    def refuse_the_rest(self) -> None:
        for key in self._values:
            raise self._fault(key, "is not a key of this table")

    def _take(self, key: str, default: Any = None) -> Any:
        value = self._values.pop(key, default)
        if value is None:
            raise self._fault(key, "is missing")
        return value

    def _finite(self, key: str, value: Any) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not isfinite(value):
            raise self._fault(key, "must be a finite number")
        return float(value)

    def _whole(self, key: str, value: Any, at_most: int) -> int:
        if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= at_most:
            raise self._fault(key, f"must be a whole number from 1 to {at_most}")
        return value

    def _fault(self, key: str, detail: str) -> ManifestInvalid:
        return ManifestInvalid(detail, where=f"{self._path}{key}")
