"""What was sent from the page: as the model reads it, and as the code that would send the same."""

from dataclasses import dataclass
from pathlib import PurePosixPath

from starlette.datastructures import UploadFile

from app.portal.frame.rendering import STATIC
from app.portal.playground.rows import rows_of
from app.portal.playground.snippets import PictureBody, RowsBody
from app.portal.playground.trial import ExamplePicture, Trial
from app.serving.call import FileInputs, JsonInputs

CODE_ROWS_MAX = 20
_MEDIA_TYPES = {"image/jpeg", "image/png", "image/webp"}
_NAME_CHARS_MAX = 100


@dataclass(frozen=True, slots=True)
class Submission:
    """`body` is what a JSON call would carry: it tells calls under one idempotency key apart.

    `as_code` is None where there is more than anybody reads as code.
    """

    payload: JsonInputs | FileInputs
    body: bytes
    as_code: RowsBody | PictureBody | None


def submission_of(trial: Trial, *, rows: str, file: UploadFile | None) -> Submission:
    """Return what a form holds; the example where it holds nothing. Raises RowsUnreadable, InputInvalid.

    It reads as many numbers as somebody pasted, and the file: not for the event loop, which all calls share.
    """
    if not trial.takes_pictures:
        numbers = rows_of(rows or trial.example_row, rows_max=trial.manifest.inputs_max)
        code = RowsBody(numbers)
        return Submission(JsonInputs(numbers), code.json.encode(), code if len(numbers) <= CODE_ROWS_MAX else None)
    if file is None or not file.filename:
        return _example(trial.example_picture)
    picture = PictureBody(plain_name(file.filename), _media_type(file.content_type))
    return Submission(FileInputs((file.file.read(),)), b"", picture)


def _example(picture: ExamplePicture) -> Submission:
    content = (STATIC / picture.path).read_bytes()
    return Submission(FileInputs((content,)), b"", PictureBody(picture.file_name, picture.media_type))


def plain_name(name: str) -> str:
    """Return a browser's name for a file as one for the code: without folders, controls and a beginning dash."""
    printable = "".join(
        character for character in PurePosixPath(name.replace("\\", "/")).name if character.isprintable()
    )
    return printable.lstrip("-.")[-_NAME_CHARS_MAX:] or "picture"


def _media_type(declared: str | None) -> str:
    return declared if declared in _MEDIA_TYPES else "image/png"
