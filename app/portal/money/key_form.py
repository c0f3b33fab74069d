"""The form of a new key: what people choose becomes what `create_key` takes."""

from collections.abc import Iterable
from datetime import datetime
from typing import Annotated, Literal

from pydantic import Field

from app.accounts.account import Scope
from app.errors import Invalid
from app.period import midnight, parse_zone
from app.portal.frame.day_field import day_of
from app.portal.frame.forms import PageForm, new_creation_id

_CHOICES_MAX = 100
_CHARS_MAX = 200
Choice = Annotated[str, Field(max_length=_CHARS_MAX)]


class NotConfirmed(Invalid):
    """A key is to be revoked, and nobody said that nothing uses it."""

    code = "not_confirmed"


class ModelUnknown(Invalid):
    """A key is limited to a model that is not served here."""

    code = "model_unknown"


class KeyForm(PageForm):
    """What a new key is called and may do; no model chosen means every model."""

    name: str = ""
    mode: Literal["test", "live"] = "test"
    scopes: list[Scope] = Field(default_factory=list, max_length=len(Scope))
    models: list[Choice] = Field(default_factory=list, max_length=_CHOICES_MAX)
    expires_on: str = ""
    creation_id: str = Field(default_factory=new_creation_id, max_length=_CHARS_MAX)

    def expires_at(self, zone: str) -> datetime | None:
        """Return the instant at which the chosen day begins in the zone. Raises NoDay."""
        day = day_of(self.expires_on, where="expires_on")
        return midnight(day, parse_zone(zone)) if day else None

    def chosen_models(self, served: Iterable[str]) -> frozenset[str]:
        """Return the models that the key is limited to. Raises ModelUnknown."""
        if unknown := set(self.models) - set(served):
            raise ModelUnknown(f"there is no model {min(unknown)!r}", where="models", hint="choose from the list")
        return frozenset(self.models)


class RotateForm(PageForm):
    """How long the old key still works."""

    grace_s: int = Field(default=0, ge=0, le=604_800)
    creation_id: str = Field(default_factory=new_creation_id, max_length=_CHARS_MAX)


class RevokeForm(PageForm):
    """A revocation is never taken back, so it is confirmed."""

    confirmed: str = ""

    def require_confirmation(self) -> None:
        """Raise NotConfirmed where the box is not ticked."""
        if self.confirmed != "yes":
            raise NotConfirmed("the revocation is not confirmed", where="confirmed", hint="tick the box")
