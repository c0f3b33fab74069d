"""The splits: parts that share nothing, the same each time, and samples as a client would send them."""

import numpy as np
from sklearn.datasets import load_diabetes, load_digits

from app.inference.image import decode_image
from app.inference.inputs import read_images, read_rows
from app.inference.manifest import TensorInput
from app.training.held_out import held_out_digits, held_out_patients, sample_photograph, split_diabetes, split_digits
from app.training.vgg16_digits import IMAGE, to_images


def test_every_patient_is_in_one_part() -> None:
    split = split_diabetes()
    rows = np.concatenate([split.train_rows, split.held_out_rows])
    assert sorted(map(tuple, rows.tolist())) == sorted(map(tuple, load_diabetes().data.tolist()))


def test_every_digit_is_in_one_part() -> None:
    split = split_digits()
    parts = (split.train_labels, split.validation_labels, split.held_out_labels)
    assert [len(part) for part in parts] == [1257, 180, 360]
    images = np.concatenate([split.train_images, split.validation_images, split.held_out_images])
    everything = np.round(load_digits().images * (255 / 16)).astype(np.uint8)
    assert sorted(image.tobytes() for image in images) == sorted(image.tobytes() for image in everything)


def test_a_split_is_the_same_each_time() -> None:
    assert (split_digits().held_out_images == split_digits().held_out_images).all()
    assert (split_diabetes().held_out_rows == split_diabetes().held_out_rows).all()


def test_the_server_sees_a_png_of_a_digit_as_training_does() -> None:
    split = split_digits()
    decoded = [decode_image(IMAGE, png, "inputs[0]") for png, _ in held_out_digits(20)]
    np.testing.assert_array_equal(np.stack(decoded), to_images(split.held_out_images[:20]))
    assert [label for _, label in held_out_digits(20)] == split.held_out_labels[:20].tolist()


def test_samples_are_what_the_models_take() -> None:
    rows, targets = held_out_patients(5)
    assert read_rows(TensorInput(10), rows, inputs_max=5).items == len(targets) == 5
    assert read_images(IMAGE, [sample_photograph()], inputs_max=1).items == 1
