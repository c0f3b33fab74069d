"""Requests that must be refused, each with the problem that it must get: the table of `test_bad_input.py`."""

import base64
from dataclasses import dataclass, field
from typing import Any

from tests.api.installation import ROW
from tests.api.pictures import animation, picture, png_that_claims, truncated_jpeg
from tests.api.problems import Expected

LINEAR = "/v1/models/linear/predict"
DIGITS = "/v1/models/vgg16-digits/predict"
JSON = {"Content-Type": "application/json"}
GZIP = b"\x1f\x8b\x08\x00\x00\x00\x00\x00\x00\x03"


@dataclass(frozen=True)
class BadRequest:
    """One request and the problem that it must get."""

    name: str
    url: str
    expected: Expected
    request: dict[str, Any] = field(default_factory=dict)


def rows(name: str, inputs: Any, where: str = "inputs[0]", code: str = "input_invalid") -> BadRequest:
    return BadRequest(name, LINEAR, Expected(400, code, where), {"json": {"inputs": inputs}})


def raw_json(name: str, body: bytes, where: str = "body", url: str = LINEAR) -> BadRequest:
    return BadRequest(name, url, Expected(400, "body_invalid", where), {"content": body, "headers": JSON})


def image(name: str, data: bytes, media_type: str = "image/png") -> BadRequest:
    request = {"content": data, "headers": {"Content-Type": media_type}}
    return BadRequest(name, DIGITS, Expected(400, "input_invalid", "inputs[0]"), request)


def base64_image(name: str, value: Any, where: str = "inputs[0]") -> BadRequest:
    return BadRequest(name, DIGITS, Expected(400, "input_invalid", where), {"json": {"inputs": [value]}})


def form(name: str, body: bytes, media_type: str = "multipart/form-data; boundary=x") -> BadRequest:
    request = {"content": body, "headers": {"Content-Type": media_type}}
    return BadRequest(name, DIGITS, Expected(400, "body_invalid", "body"), request)


def media(name: str, status: int, code: str, where: str, url: str = LINEAR, **request: Any) -> BadRequest:
    return BadRequest(name, url, Expected(status, code, where), request)


def part(data: bytes, disposition: str = 'name="file"; filename="a.png"') -> bytes:
    return b"--x\r\nContent-Disposition: form-data; " + disposition.encode() + b"\r\n\r\n" + data + b"\r\n"


def _encoded(data: bytes) -> str:
    return base64.b64encode(data).decode()


_BROKEN_ROW: list[Any] = [*ROW[:7], None, *ROW[8:]]
_WHOLE = picture()

ROWS = [
    rows("a number where a row belongs", [1.5]),
    rows("nine features", [ROW[:9]]),
    rows("eleven features", [[*ROW, 1]]),
    rows("a row inside a row", [[ROW]], "inputs[0]"),
    rows("one bad row among ten", [*[ROW] * 3, ROW[:4], *[ROW] * 6], "inputs[3]"),
    rows("null in a row", [_BROKEN_ROW], "inputs[0][7]"),
    rows("a text in a row", [[*ROW[:9], "1"]], "inputs[0][9]"),
    rows("a boolean in a row", [[True, *ROW[1:]]], "inputs[0][0]"),
    rows("an object as a row", [{"age": 1}]),
    rows("an image for a model of rows", [{"b64": "AAAA"}]),
    rows("no inputs", [], "inputs"),
    rows("too many inputs", [ROW] * 1025, "inputs"),
    rows("a number beyond float32", [[1e39, *ROW[1:]]], "inputs[0][0]"),
    rows("an integer of 400 digits", [[10**400, *ROW[1:]]], "inputs[0][0]"),
    rows("inputs that are no list", "abc", "inputs", "body_invalid"),
]
BODIES = [
    raw_json("a NaN token", b'{"inputs": [[NaN]]}'),
    raw_json("an Infinity token", b'{"inputs": [[-Infinity]]}'),
    raw_json("1e999", b'{"inputs": [[1e999, 0, 0, 0, 0, 0, 0, 0, 0, 0]]}', "inputs[0][0]"),
    raw_json("an integer of 5,000 digits", b'{"inputs": [[' + b"9" * 5000 + b"]]}", "inputs[0][0]"),
    raw_json("broken JSON", b'{"inputs": [[1, 2'),
    raw_json("JSON with more behind it", b'{"inputs": []} {}'),
    raw_json("JSON nested 10,000 deep", b'{"inputs": ' + b"[" * 10_000 + b"]" * 10_000 + b"}"),
    raw_json("an empty body", b""),
    raw_json("a list as a body", b"[]"),
    raw_json("null as a body", b"null"),
    raw_json("a body without inputs", b"{}"),
    raw_json("an extra field", b'{"inputs": [], "account_id": "acct_1"}'),
    raw_json("a field named like a key", b'{"inputs": [], "fm_live_0123456789abcdef": 1}'),
    raw_json("bytes that are not UTF-8", b'{"inputs": ["\xff"]}'),
    raw_json("a byte order mark", b'\xef\xbb\xbf{"inputs": []}'),
    media("no content type", 415, "media_type_unsupported", "Content-Type", content=b"{}"),
    media("a text", 415, "media_type_unsupported", "Content-Type", content=b"x", headers={"Content-Type": "text/csv"}),
    media("a form for a browser", 415, "media_type_unsupported", "Content-Type", data={"inputs": "1"}),
    media(
        "a GIF by type",
        415,
        "media_type_unsupported",
        "Content-Type",
        content=b"GIF89a",
        headers={"Content-Type": "image/gif"},
    ),
    media(
        "gzip",
        415,
        "media_type_unsupported",
        "Content-Encoding",
        content=GZIP,
        headers=JSON | {"Content-Encoding": "gzip"},
    ),
    media("files for a model of rows", 415, "payload_unsupported", "Content-Type", files={"file": _WHOLE}),
    media(
        "a length that is none",
        400,
        "length_invalid",
        "Content-Length",
        content=b"{}",
        headers=JSON | {"Content-Length": "2a"},
    ),
    media(
        "a negative length",
        400,
        "length_invalid",
        "Content-Length",
        content=b"{}",
        headers=JSON | {"Content-Length": "-2"},
    ),
    media(
        "a declared body of 100 MB",
        413,
        "body_too_large",
        "body",
        content=b"{}",
        headers=JSON | {"Content-Length": "104857600"},
    ),
    media("a body of 33 MB", 413, "body_too_large", "body", content=b" " * (33 * 2**20), headers=JSON),
]
IMAGES = [
    image("an empty file", b""),
    image("a truncated JPEG", truncated_jpeg(), "image/jpeg"),
    image("a truncated PNG", picture(size=(90, 90))[:60]),
    image("a text named .jpg", b"this is no picture, whatever its name says", "image/jpeg"),
    image("an SVG", b'<svg xmlns="http://www.w3.org/2000/svg"/>'),
    image("a header of 50,000 x 50,000", png_that_claims(50_000, 50_000)),
    image("a header of 0 x 0", png_that_claims(0, 0)),
    image("an animated GIF", animation("GIF")),
    image("an animated WebP", animation("WEBP"), "image/webp"),
    image("an animated PNG", animation("PNG")),
    base64_image("bad base64", {"b64": "a$b="}, "inputs[0].b64"),
    base64_image("base64 in lines", {"b64": _encoded(b"x" * 90)[:60] + "\n" + _encoded(b"x" * 9)}, "inputs[0].b64"),
    base64_image("a data URL", {"b64": "data:image/png;base64," + _encoded(_WHOLE)}, "inputs[0].b64"),
    base64_image("base64 of a text", {"b64": _encoded(b"hello, world")}),
    base64_image("base64 of nothing", {"b64": ""}),
    base64_image("a base64 that is a number", {"b64": 5}),
    base64_image("an image URL", {"url": "http://127.0.0.1/a.png"}),
    base64_image("a field beside the image", {"b64": _encoded(_WHOLE), "name": "x"}),
    base64_image("a row for a model of images", ROW),
    media(
        "one bad file among three",
        400,
        "input_invalid",
        "inputs[1]",
        DIGITS,
        files=[("file", ("a.png", data)) for data in (_WHOLE, b"no picture", _WHOLE)],
    ),
    media("too many images", 400, "input_invalid", "inputs", DIGITS, json={"inputs": [{"b64": "AAAA"}] * 257}),
]
FORMS = [
    form("a form without boundary", part(_WHOLE), "multipart/form-data"),
    form("rubbish as a form", b"rubbish"),
    form("a form with another boundary", part(_WHOLE) + b"--x--\r\n", "multipart/form-data; boundary=y"),
    form("an empty form", b"--x--\r\n"),
    form("a form that breaks off in its second file", part(_WHOLE) + part(_WHOLE)[:-20]),
    form("a form that breaks off between its files", part(_WHOLE)),
    form("an unknown file part", part(_WHOLE) + part(_WHOLE, 'name="picture"; filename="b.png"') + b"--x--\r\n"),
    form("an unknown text part", part(_WHOLE) + part(b"hello", 'name="note"') + b"--x--\r\n"),
    form("a text part named file", part(b"hello", 'name="file"') + b"--x--\r\n"),
    form("a part without name", part(_WHOLE, 'filename="a.png"') + b"--x--\r\n"),
    form("2,000 parts", part(b"") * 2000 + b"--x--\r\n"),
]  # fmt: skip
WRONG_PLACES = [
    media("an unknown model", 404, "model_not_found", "model", "/v1/models/nope/predict", json={"inputs": [ROW]}),
    media("a model with a slash", 404, "route_not_found", None, "/v1/models/a%2Fb/predict", json={}),  # type: ignore[arg-type]
    *[
        media(
            f"version {version}",
            404,
            "version_not_found",
            "version",
            f"/v1/models/linear/versions/{version}/predict",
            json={"inputs": [ROW]},
        )
        for version in ("0", "-1", "7", "1" + "0" * 30)
    ],
    *[
        media(
            f"version {version}",
            400,
            "invalid",
            "version",
            f"/v1/models/linear/versions/{version}/predict",
            json={"inputs": [ROW]},
        )
        for version in ("abc", "1x", "%F0%9F%92%A9")
    ],
    media("a NUL in the path", 400, "url_invalid", "URL", "/v1/models/%00/predict", json={"inputs": [ROW]}),
    *[
        media(f"the key as {query}", 400, "key_in_query", "query string", f"{LINEAR}?{query}", json={"inputs": [ROW]})
        for query in ("api_key=x", "KEY=x", "access_token=x", "q=fm_live_0123456789", "x=%66m_test_0123456789")
    ],
    *[
        media(
            f"Idempotency-Key: {key[:9]!r}",
            400,
            "invalid",
            "Idempotency-Key",
            json={"inputs": [ROW]},
            headers={"Idempotency-Key": key},
        )
        for key in ("", "k" * 256, "\u00e9".encode())
    ],
]
BAD_REQUESTS = [*ROWS, *BODIES, *IMAGES, *FORMS, *WRONG_PLACES]
