"""What forms have in common: the token of the session, unknown fields refused, and where to go afterwards."""

from typing import Annotated
from urllib.parse import urlsplit

from pydantic import BaseModel, ConfigDict, StringConstraints

# A password is what was typed, its blanks at either end included: the command line takes it so as well.
Password = Annotated[str, StringConstraints(strip_whitespace=False)]


class PageForm(BaseModel):
    """A form of a page. A field that it does not name is refused: nobody sets another account's id by hand.

    An empty field is a missing one. So texts have the empty text as their default: what is wrong with it is said by the
    use case, on the page of the form.
    """

    model_config = ConfigDict(extra="forbid", str_strip_whitespace=True)

    csrf: str = ""  # `page_route` has compared it


def local_path(text: str, default: str = "/") -> str:
    """Return a path of this site as it is, and the default for what a browser might take for another site's address."""
    parts = urlsplit(text)
    plain = text.startswith("/") and not text.startswith(("//", "/\\")) and text.isascii() and text.isprintable()
    return text if plain and not parts.scheme and not parts.netloc and "\\" not in text else default
