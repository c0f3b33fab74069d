"""What was sent becomes what the manifest asks for, or a refusal that names the input."""

import base64
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.errors import AppError
from app.inference.inputs import InputInvalid
from app.inference.manifest import Manifest, parse_manifest
from app.serving.call import FileInputs, JsonInputs
from app.serving.payload import PayloadUnsupported, model_input_of
from tests.api.pictures import picture

MODELS = Path(__file__).parents[2] / "models"


def manifest_of(name: str) -> Manifest:
    return parse_manifest((MODELS / name / "model.toml").read_text())


LINEAR, DIGITS = manifest_of("linear"), manifest_of("vgg16-digits")
JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: (
        st.lists(inner, max_size=12) | st.dictionaries(st.text(max_size=4) | st.just("b64"), inner, max_size=2)
    ),
    max_leaves=30,
)


def test_rows_are_measured_and_kept_in_order() -> None:
    read = model_input_of(JsonInputs([[1] * 10, [2.5] * 10]), LINEAR)
    assert (read.items, read.input_bytes) == (2, 80)
    assert read.array is not None
    assert read.array[:, 0].tolist() == [1.0, 2.5]


def test_images_come_alike_as_base64_and_as_files() -> None:
    data = picture()
    encoded = model_input_of(JsonInputs([{"b64": base64.b64encode(data).decode()}]), DIGITS)
    assert encoded == model_input_of(FileInputs((data,)), DIGITS)
    assert (encoded.items, encoded.input_bytes, encoded.files) == (1, len(data), (data,))


def test_files_are_not_what_a_model_of_rows_takes() -> None:
    with pytest.raises(PayloadUnsupported) as refusal:
        model_input_of(FileInputs((picture(),)), LINEAR)
    assert refusal.value.where == "Content-Type"
    assert "10 numbers" in refusal.value.detail


def test_the_count_is_refused_before_anything_is_decoded() -> None:
    too_many = [{"b64": "not base64 at all"}] * 300
    with pytest.raises(InputInvalid) as refusal:
        model_input_of(JsonInputs([{"b64": ""}] * 256 + too_many), DIGITS)
    assert refusal.value.where == "inputs"


@pytest.mark.parametrize("manifest", [LINEAR, DIGITS], ids=["rows", "images"])
@given(values=st.lists(JSON_VALUES, max_size=4))
def test_whatever_json_is_sent_is_read_or_refused_with_a_place(manifest: Manifest, values: list[object]) -> None:
    try:
        read = model_input_of(JsonInputs(values), manifest)
    except AppError as refusal:
        assert isinstance(refusal, InputInvalid)  # noqa: PT017 - most values are refused, some may be read
        assert (refusal.where or "").startswith("inputs")  # noqa: PT017
    else:
        assert read.items == len(values)
