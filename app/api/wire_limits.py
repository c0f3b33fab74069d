"""Rate limits on the wire."""

from pydantic import Field, StrictInt

from app.accounts.account import Principal
from app.accounts.rate_limits import RateLimits
from app.api.fields import StrictBody
from app.api.key_fields import LimitsFields
from app.errors import Forbidden

_NONE = "null or left out: no such limit"


class LimitsLoosened(Forbidden):
    """A key that is limited itself cannot give more than it has, to itself neither."""

    code = "limits_loosened"


class LimitsBody(StrictBody):
    """All limits of a key, an account or a model; they replace those before."""

    requests_per_minute: StrictInt | None = Field(None, description=_NONE)
    units_per_minute: StrictInt | None = Field(None, description=_NONE)
    concurrency_max: StrictInt | None = Field(None, description=f"calls at once; {_NONE}")

    def limits(self) -> RateLimits:
        """Return the limits. Raises RateLimitInvalid outside 1 to 1e9."""
        return RateLimits(self.requests_per_minute, self.units_per_minute, self.concurrency_max)


def limits_body(limits: RateLimits) -> LimitsFields:
    """Return limits; null is none."""
    return {
        "requests_per_minute": limits.requests_per_minute,
        "units_per_minute": limits.units_per_minute,
        "concurrency_max": limits.concurrency_max,
    }


def refuse_looser(principal: Principal, limits: RateLimits) -> None:
    """Raise LimitsLoosened where a key would be given more than the calling key has."""
    if limits.exceed(principal.limits):
        raise LimitsLoosened(
            "a key that has limits itself may give no higher ones",
            where="limits",
            hint="GET /v1/keys/{key_id}/limits tells them; use a key without limits, or ask the operator",
        )
