"""What the fields of request bodies are made of: text that a database can store, instants that a calendar can hold."""

from datetime import UTC, datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, StringConstraints


class StrictBody(BaseModel):
    """A body whose unknown fields are refused: nobody sets another account's id by hand."""

    model_config = ConfigDict(extra="forbid")


def _in_utc(value: datetime) -> datetime:
    if not 1970 < value.year < 2200:
        raise ValueError("write an instant of the years 1971 to 2199")
    return value.astimezone(UTC)


# Without control characters; the pattern also refuses lone surrogates, which no database can encode.
Name = Annotated[str, StringConstraints(pattern=r"^[^\x00-\x1f\x7f]*$", max_length=200)]
# An id, or the key of a plan: it names what may or may not exist.
Reference = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9._-]*$", max_length=80)]
ModelName = Annotated[str, StringConstraints(pattern=r"^[a-z0-9][a-z0-9._-]*$", max_length=63)]
Instant = Annotated[AwareDatetime, AfterValidator(_in_utc)]
