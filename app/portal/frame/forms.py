"""What forms have in common: the token of the session, unknown fields refused, and where to go afterwards."""

import asyncio
import re
from typing import Annotated, Any
from urllib.parse import urlsplit
from uuid import uuid4

from pydantic import BaseModel, ConfigDict, StringConstraints, field_validator
from starlette.datastructures import FormData
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request

from app.errors import Invalid

FORM_HINT = "use the form of the page"
# A line's end and a tab aside: where a text has to be one line, its use case says so.
_CONTROL = re.compile(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f]")

# A password is what was typed, its blanks at either end included: the command line takes it so as well.
Password = Annotated[str, StringConstraints(strip_whitespace=False)]


def new_creation_id() -> str:
    """Return the id of a form that makes one thing, however often a reload of the answer sends it again."""
    return str(uuid4())


class FormInvalid(Invalid):
    """A form lacks a field, has one that it does not know, or one of the wrong kind."""

    code = "form_invalid"


class PageForm(BaseModel):
    """A form of a page. A field that it does not name is refused: nobody sets another account's id by hand.

    An empty field is a missing one. So texts have the empty text as their default: what is wrong with it is said by the
    use case, on the page of the form.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    csrf: str = ""  # `page_route` has compared it

    @field_validator("*", mode="before")
    @classmethod
    def _is_text(cls, value: Any) -> Any:
        """Refuse what nobody types: PostgreSQL stores a NUL in no text, and terminals obey the others."""
        for text in value if isinstance(value, list) else [value]:
            if isinstance(text, str) and _CONTROL.search(text):
                raise ValueError("holds a control character")
        return value


async def read_form(request: Request, patience_s: int) -> FormData:
    """Return the form that the request carries. Raises FormInvalid for a malformed, endless or broken-off one."""
    try:
        async with asyncio.timeout(patience_s):
            return await request.form()
    except HTTPException as error:  # Starlette's word for a body that is no form
        raise FormInvalid(error.detail, hint=FORM_HINT) from None
    except ClientDisconnect:
        raise FormInvalid("the browser left while it sent the form") from None
    except TimeoutError:
        raise FormInvalid(f"the form did not arrive within {patience_s} s", hint="send it again") from None


def local_path(text: str, default: str = "/") -> str:
    """Return a path of this site as it is, and the default for what a browser might take for another site's address."""
    parts = urlsplit(text)
    plain = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isascii() and text.isprintable()
    return text if plain and not parts.scheme and not parts.netloc and "\\" not in text else default
