"""Inputs: what is well formed is measured, what is not is refused at its exact place."""

import contextlib
import math
import struct
import zlib
from io import BytesIO
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from app.inference.inputs import InputInvalid, read_images, read_rows
from app.inference.manifest import FLOAT32_MAX, ImageInput, TensorInput

ROW = TensorInput(features=3, names=("a", "b", "c"))
IMAGE = ImageInput(resize=32, crop=32)
numbers = st.floats(-FLOAT32_MAX, FLOAT32_MAX) | st.integers(-(2**62), 2**62)
rows = st.lists(st.lists(numbers, min_size=3, max_size=3), min_size=1, max_size=20)
not_numbers: st.SearchStrategy[Any] = st.sampled_from(
    [math.nan, math.inf, -math.inf, None, True, "1", [], {}, 1e39, -(10**400)]
)


@given(rows)
def test_good_rows_keep_their_numbers_and_are_measured(values: list[list[float]]) -> None:
    model_input = read_rows(ROW, values, inputs_max=20)
    assert model_input.array is not None
    assert model_input.array.dtype == np.float32
    np.testing.assert_array_equal(model_input.array, np.array(values, dtype=np.float64).astype(np.float32))
    assert (model_input.items, model_input.input_bytes) == (len(values), 12 * len(values))


@given(rows, st.data())
def test_one_bad_number_is_named(values: list[list[float]], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(values) - 1))
    place = data.draw(st.integers(0, 2))
    values[index][place] = data.draw(not_numbers)
    with pytest.raises(InputInvalid) as refusal:
        read_rows(ROW, values, inputs_max=20)
    assert refusal.value.where == f"inputs[{index}][{place}]"
    assert repr(ROW.names[place]) in str(refusal.value)


@given(rows, st.data())
def test_one_row_of_another_length_is_named(values: list[list[float]], data: st.DataObject) -> None:
    index = data.draw(st.integers(0, len(values) - 1))
    values[index] = [1.0] * data.draw(st.sampled_from([0, 1, 2, 4, 11]))
    with pytest.raises(InputInvalid, match=f"has {len(values[index])} features, expected 3") as refusal:
        read_rows(ROW, values, inputs_max=20)
    assert refusal.value.where == f"inputs[{index}]"


@pytest.mark.parametrize(
    ("values", "where", "text"),
    [
        ([], "inputs", "is empty"),
        ({"a": 1}, "inputs", "is an object"),
        ("abc", "inputs", "is a text"),
        ([[1.0, 2.0, 3.0]] * 21, "inputs", "has 21 inputs"),
        ([1.0, 2.0, 3.0], "inputs[0]", "is a number"),
        ([[1.0, 2.0, 3.0], None], "inputs[1]", "is null"),
        ([[[1.0], 2.0, 3.0]], "inputs[0][0]", "is a list"),
    ],
)
def test_what_is_no_list_of_rows_is_refused(values: list[list[float]], where: str, text: str) -> None:
    with pytest.raises(InputInvalid, match=text) as refusal:
        read_rows(ROW, values, inputs_max=20)
    assert refusal.value.where == where


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (1.5, "is 1.5, above 1"),
        (3e38, "is 3e+38, above 1"),
        (-0.25, "is -0.25, below 0"),
        (2, "is 2, above 1"),
        (-(10**400), "is a whole number of more than 18 digits, below 0"),
    ],
)
def test_a_number_beyond_a_declared_bound_is_told_with_the_bound(value: float, text: str) -> None:
    spec = TensorInput(features=1, minimum=0.0, maximum=1.0)
    assert read_rows(spec, [[0.0], [1.0]], inputs_max=2).items == 2
    with pytest.raises(InputInvalid) as refusal:
        read_rows(spec, [[0.5], [value]], inputs_max=2)
    assert (refusal.value.where, refusal.value.detail) == ("inputs[1][0]", text)


def encoded(format_name: str, **options: object) -> bytes:
    file = BytesIO()
    Image.new("RGB", (40, 30), "teal").save(file, format_name, **options)
    return file.getvalue()


def png_that_claims(width: int, height: int) -> bytes:
    header = b"IHDR" + struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    chunk = struct.pack(">I", 13) + header + struct.pack(">I", zlib.crc32(header))
    return b"\x89PNG\r\n\x1a\n" + chunk


def animated(format_name: str) -> bytes:
    frames = [Image.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    file = BytesIO()
    frames[0].save(file, format_name, save_all=True, append_images=frames[1:])
    return file.getvalue()


@pytest.mark.parametrize("format_name", ["JPEG", "PNG", "WEBP"])
def test_images_of_the_three_formats_are_read_by_their_content(format_name: str) -> None:
    data = encoded(format_name)
    model_input = read_images(IMAGE, [data, data], inputs_max=2)
    assert (model_input.items, model_input.input_bytes, model_input.array) == (2, 2 * len(data), None)


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", "is an empty file"),
        (b"this is a text, whatever its name says", "is not a JPEG, PNG or WebP image"),
        (encoded("GIF"), "is not a JPEG, PNG or WebP image"),
        (encoded("JPEG")[:20], "its header is broken"),
        (encoded("PNG")[:20], "its header is broken"),
        (encoded("WEBP")[:20], "its header is broken"),
        (png_that_claims(0, 5), "its header is broken"),
        (png_that_claims(50_000, 50_000), "has 50000 x 50000 pixels"),
        (png_that_claims(5_001, 5_000), "has 5001 x 5000 pixels"),
        (animated("PNG"), "is an animation"),
        (animated("WEBP"), "is an animation"),
        (encoded("PNG") + bytes(20_000_000), "at most 20000000 are read"),
    ],
)
def test_a_bad_image_is_named_among_good_ones(data: bytes, text: str) -> None:
    with pytest.raises(InputInvalid, match=text) as refusal:
        read_images(IMAGE, [encoded("PNG"), encoded("JPEG"), data], inputs_max=3)
    assert refusal.value.where == "inputs[2]"
    assert refusal.value.hint


@given(st.binary(max_size=200), st.sampled_from(["JPEG", "PNG", "WEBP"]), st.integers(0, 60))
def test_any_bytes_are_read_or_refused(noise: bytes, format_name: str, kept: int) -> None:
    with contextlib.suppress(InputInvalid):
        assert read_images(IMAGE, [encoded(format_name)[:kept] + noise], inputs_max=1).items == 1
