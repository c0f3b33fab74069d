"""Rate limits: how many requests, units and calls at once a key, an account or a model may have."""

from dataclasses import dataclass

from app.errors import Invalid

LIMIT_MAX = 10**9
MODEL_PREFIX = "model:"


class RateLimitInvalid(Invalid):
    """A rate limit is not a whole number in bounds."""

    code = "rate_limit_invalid"


@dataclass(frozen=True, slots=True)
class RateLimits:
    """Each None where there is no such limit."""

    requests_per_minute: int | None = None
    units_per_minute: int | None = None
    concurrency_max: int | None = None

    def __post_init__(self) -> None:
        for name in ("requests_per_minute", "units_per_minute", "concurrency_max"):
            value = getattr(self, name)
            if value is not None and not 1 <= value <= LIMIT_MAX:
                raise RateLimitInvalid(
                    f"{value} is no limit", where=name, hint=f"write 1 to {LIMIT_MAX}, or leave it out for none"
                )

    def exceed(self, others: "RateLimits") -> bool:
        """Tell whether anything is allowed here beyond those others."""
        pairs = zip(self.values, others.values, strict=True)
        return any(bound is not None and (value is None or value > bound) for value, bound in pairs)

    @property
    def values(self) -> tuple[int | None, ...]:
        """The limits of requests, units and calls at once."""
        return self.requests_per_minute, self.units_per_minute, self.concurrency_max

    @property
    def none(self) -> bool:
        """Whether nothing is limited."""
        return self == UNLIMITED


UNLIMITED = RateLimits()


def model_subject(model: str) -> str:
    """Return by which name the limits of a model are kept, beside those of `key_…` and `acct_…`."""
    return MODEL_PREFIX + model
