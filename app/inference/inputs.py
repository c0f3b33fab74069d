"""What a caller sent, checked as far as it can be without decoding, and measured: known before anything runs.

A call with one bad input is refused whole, and the error names that input.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain
from math import isfinite
from typing import Any

import numpy as np
from numpy.typing import NDArray

from app.errors import Invalid, Kind
from app.inference.image_header import read_header
from app.inference.manifest import ImageInput, TensorInput

_NUMBERS = frozenset({int, float})


class InputInvalid(Invalid):
    """An input cannot be read as the model's manifest asks. Nothing was run."""

    kind = Kind.INVALID
    code = "input_invalid"


@dataclass(frozen=True, slots=True)
class ModelInput:
    """The inputs of one call.

    Rows: `array` is float32, items x features. Images: `files` hold the encoded files until `Engine.prepare` replaces
    them by `array`, uint8, items x height x width x 3. `input_bytes` is the size of the float32 rows, or of the encoded
    files.
    """

    items: int
    input_bytes: int
    array: NDArray[Any] | None = None
    files: tuple[bytes, ...] = ()


def read_rows(spec: TensorInput, rows: list[list[float]], *, inputs_max: int) -> ModelInput:
    """Read rows of numbers as parsed from JSON. Raises InputInvalid that names the row and the place in it.

    The common case, all well, takes a few microseconds: three passes in C. Only a refusal looks for the exact place.
    """
    check_count(rows, inputs_max)
    features = spec.features
    for row in rows:
        if type(row) is not list or len(row) != features:
            raise _find_fault(spec, rows)
    if not _NUMBERS.issuperset(map(type, chain.from_iterable(rows))):
        raise _find_fault(spec, rows)
    try:
        array = np.array(rows, dtype=np.float64)
    except OverflowError:  # an integer beyond 1e308
        raise _find_fault(spec, rows) from None
    if not (array.min() >= spec.minimum and array.max() <= spec.maximum):  # NaN compares false
        raise _find_fault(spec, rows)
    return ModelInput(len(rows), len(rows) * spec.item_bytes, array.astype(np.float32))


def read_images(spec: ImageInput, files: Sequence[bytes], *, inputs_max: int) -> ModelInput:
    """Check encoded image files by their headers, decoding none. Raises InputInvalid that names the file."""
    check_count(files, inputs_max)
    for place, data in enumerate(files):
        _check_image(spec, data, f"inputs[{place}]")
    return ModelInput(len(files), sum(map(len, files)), files=tuple(files))


def check_count(inputs: object, inputs_max: int) -> None:
    """Raise InputInvalid for what is no list, an empty one or one that is too long for a call."""
    if not isinstance(inputs, list | tuple):
        raise InputInvalid(f"is {_name_of(inputs)}, expected a list", where="inputs", hint='write "inputs": [ … ]')
    if not inputs:
        raise InputInvalid("is empty", where="inputs", hint="send at least one input")
    if len(inputs) > inputs_max:
        raise InputInvalid(
            f"has {len(inputs)} inputs, at most {inputs_max} go in one call",
            where="inputs",
            hint="send the rest in further calls",
        )


def _check_image(spec: ImageInput, data: bytes, where: str) -> None:
    if not data:
        raise InputInvalid("is an empty file", where=where, hint="send the bytes of a JPEG, PNG or WebP image")
    if len(data) > spec.file_bytes_max:
        raise InputInvalid(
            f"has {len(data)} bytes, at most {spec.file_bytes_max} are read",
            where=where,
            hint="make the image smaller or compress it more",
        )
    header = read_header(data)
    if header is None:
        raise InputInvalid(
            "is not a JPEG, PNG or WebP image, or its header is broken",
            where=where,
            hint="send an image in one of these formats; the name of the file does not matter",
        )
    if header.animated:
        raise InputInvalid("is an animation", where=where, hint="send one still picture")
    if header.pixels > spec.pixels_max:
        raise InputInvalid(
            f"has {header.width} x {header.height} pixels, at most {spec.pixels_max} in all are read",
            where=where,
            hint=f"scale it down; the model looks at {spec.crop} x {spec.crop} pixels",
        )


def _find_fault(spec: TensorInput, rows: list[list[float]]) -> InputInvalid:
    """Return the first fault; called only where there is one."""
    return next(fault for index, row in enumerate(rows) if (fault := _fault_of_row(spec, row, f"inputs[{index}]")))


def _fault_of_row(spec: TensorInput, row: object, where: str) -> InputInvalid | None:
    if not isinstance(row, list):
        detail = f"is {_name_of(row)}, expected a row of {spec.features} numbers"
        return InputInvalid(detail, where=where, hint="put each row in its own brackets: [[…], […]]")
    if len(row) != spec.features:
        hint = f"a row is {', '.join(spec.names)}" if spec.names else None
        return InputInvalid(f"has {len(row)} features, expected {spec.features}", where=where, hint=hint)
    for place, value in enumerate(row):
        if detail := _fault_of_number(spec, value):
            hint = f"this is the feature {spec.names[place]!r}" if spec.names else None
            return InputInvalid(detail, where=f"{where}[{place}]", hint=hint)
    return None


def _fault_of_number(spec: TensorInput, value: object) -> str:
    if type(value) is not int and type(value) is not float:
        return f"is {_name_of(value)}, expected a number"
    if type(value) is float and not isfinite(value):
        return "is not finite"
    if value < spec.minimum:
        return f"is {_shown(value)}, below {spec.minimum:.15g}"
    if value > spec.maximum:
        return f"is {_shown(value)}, above {spec.maximum:.15g}"
    return ""


def _shown(value: float) -> str:
    """Return a number as text, without the digits of an integer that is longer than anybody reads."""
    if isinstance(value, int) and value.bit_length() > 63:
        return "a whole number of more than 18 digits"
    return str(value)


def _name_of(value: object) -> str:
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "a boolean"
    for kind, name in ((int | float, "a number"), (str, "a text"), (list | tuple, "a list"), (dict, "an object")):
        if isinstance(value, kind):
            return name
    return "of another type"
