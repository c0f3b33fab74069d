"""The form of a new key: what people choose becomes what `create_key` takes."""

from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated, Literal

from pydantic import Field

from app.accounts.account import Scope
from app.errors import Invalid
from app.period import midnight, parse_zone
from app.portal.forms import PageForm

_CHOICES_MAX = 100
_CHARS_MAX = 200
_YEARS = (1971, 2200)  # a day of any zone is an instant of the calendar
Choice = Annotated[str, Field(max_length=_CHARS_MAX)]


class NoExpiryDate(Invalid):
    """The day on which a key is to expire is no date."""

    code = "no_expiry_date"


class ModelUnknown(Invalid):
    """A key is limited to a model that is not served here."""

    code = "model_unknown"


class KeyForm(PageForm):
    """What a new key is called and may do; no model chosen means every model."""

    name: str = Field(default="", max_length=_CHARS_MAX)
    mode: Literal["test", "live"] = "test"
    scopes: list[Scope] = Field(default_factory=list, max_length=len(Scope))
    models: list[Choice] = Field(default_factory=list, max_length=_CHOICES_MAX)
    expires_on: str = Field(default="", max_length=_CHARS_MAX)

    def expires_at(self, zone: str) -> datetime | None:
        """Return the instant at which the chosen day begins in the zone. Raises NoExpiryDate."""
        if not self.expires_on:
            return None
        try:
            day = date.fromisoformat(self.expires_on)
        except ValueError:
            raise NoExpiryDate(f"{self.expires_on!r} is no date", where="expires_on", hint="2027-01-31") from None
        if not _YEARS[0] <= day.year < _YEARS[1]:
            raise NoExpiryDate(f"{day} is too far away", where="expires_on", hint="2027-01-31")
        return midnight(day, parse_zone(zone))

    def chosen_models(self, served: Iterable[str]) -> frozenset[str]:
        """Return the models that the key is limited to. Raises ModelUnknown."""
        if unknown := set(self.models) - set(served):
            raise ModelUnknown(f"there is no model {min(unknown)!r}", where="models", hint="choose from the list")
        return frozenset(self.models)


class RotateForm(PageForm):
    """How long the old key still works."""

    grace_s: int = Field(default=0, ge=0, le=604_800)


class RevokeForm(PageForm):
    """A revocation is never taken back, so it is confirmed."""

    confirmed: Literal["yes"]
