"""Outputs: plain values, the best class first, no digit that a float32 never had."""

import json

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from app.inference.manifest import ClassesOutput, NumberOutput
from app.inference.outputs import to_outputs


@given(st.floats(width=32, allow_nan=False, allow_infinity=False))
def test_a_number_is_written_short_and_still_names_its_float32(value: float) -> None:
    (output,) = to_outputs(NumberOutput("value"), (), np.array([[value]], dtype=np.float32))
    assert np.float32(json.loads(json.dumps(output))["value"]) == np.float32(value)


def test_classes_come_best_first_and_ties_in_the_order_of_the_labels() -> None:
    values = np.array([[0.1, 0.5, 0.4], [0.25, 0.5, 0.25]], dtype=np.float32)
    first, second = to_outputs(ClassesOutput(classes=3, top_k=2), ("a", "b", "c"), values)
    assert (first["label"], first["probability"]) == ("b", 0.5)
    assert [guess["label"] for guess in first["top"]] == ["b", "c"]
    assert [guess["label"] for guess in second["top"]] == ["b", "a"]
