"""From what was sent to what the model's manifest asks for."""

import base64
import binascii
from typing import Any

from app.errors import AppError, Kind
from app.inference.inputs import InputInvalid, ModelInput, read_images, read_rows
from app.inference.manifest import Manifest, TensorInput
from app.serving.call import FileInputs, JsonInputs


class PayloadUnsupported(AppError):
    """The model takes another kind of input."""

    kind = Kind.UNSUPPORTED_MEDIA
    code = "payload_unsupported"


def model_input_of(payload: JsonInputs | FileInputs, manifest: Manifest) -> ModelInput:
    """Return the checked input. Raises InputInvalid that names the input, PayloadUnsupported for the wrong kind."""
    spec = manifest.input
    if isinstance(spec, TensorInput):
        if isinstance(payload, FileInputs):
            raise PayloadUnsupported(
                f"{manifest.name} takes rows of {spec.features} numbers, not files",
                where="Content-Type",
                hint='send application/json: {"inputs": [[…], …]}',
            )
        return read_rows(spec, list(payload.values), inputs_max=manifest.inputs_max)
    files = payload.files if isinstance(payload, FileInputs) else _files_in(payload.values, manifest.inputs_max)
    return read_images(spec, files, inputs_max=manifest.inputs_max)


def _files_in(values: Any, inputs_max: int) -> list[bytes]:
    # Beyond the limit nothing is decoded: read_images refuses the count.
    return [_file_in(value, f"inputs[{index}]") if index < inputs_max else b"" for index, value in enumerate(values)]


def _file_in(value: Any, where: str) -> bytes:
    encoded = value.get("b64") if isinstance(value, dict) and value.keys() == {"b64"} else None
    if not isinstance(encoded, str):
        raise InputInvalid("is not an image", where=where, hint='write {"b64": "…base64 of the file…"}')
    try:
        return base64.b64decode(encoded, validate=True)
    except (binascii.Error, ValueError):
        raise InputInvalid(
            "is not base64", where=f"{where}.b64", hint="encode the whole file, without line breaks or a data: prefix"
        ) from None
