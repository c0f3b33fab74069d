"""The answers about keys and their limits, field by field: what /openapi.json tells of them."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict


class KeyFields(TypedDict):
    """A key, without its secret, which is stored nowhere."""

    id: Annotated[str, Field(examples=["key_019a2f4c8d2a7b3e9f10aabbccddeeff"])]
    name: str
    hint: Annotated[str, Field(description="the secret's prefix and last four characters", examples=["fm_live_…x4Qz"])]
    test: Annotated[bool, Field(description="true: its calls are counted apart and never invoiced")]
    scopes: Annotated[list[str], Field(description="what it may do", examples=[["predict", "usage:read"]])]
    models: Annotated[list[str], Field(description="the only models that it may call; empty: all")]
    created_at: str
    expires_at: Annotated[str | None, Field(description="from then on it is refused; null: never")]
    revoked_at: Annotated[str | None, Field(description="since then it is refused for good")]


class NewKeyFields(KeyFields):
    """A key that was just made, or that follows another."""

    secret: Annotated[str, Field(description="shown this once: keep it now")]


class LimitsFields(TypedDict):
    """All limits of a key with its successors, an account, or a model; null: there is no such limit.

    An account's limits count its test calls apart from its live ones.
    """

    requests_per_minute: Annotated[int | None, Field(description="calls in a minute of the clock", examples=[600])]
    units_per_minute: Annotated[int | None, Field(description="inputs in a minute of the clock", examples=[10000])]
    concurrency_max: Annotated[int | None, Field(description="calls at once", examples=[8])]
