"""The errors of limits: which one, its size, and when it counts anew, if that helps."""

from app.charging.limits.limit_state import LimitState
from app.charging.limits.rule import RateRule, SlotRule
from app.errors import AppError, Kind

_SLOT_RETRY_S = 1  # a slot is free as soon as any call ends: nobody knows when


class LimitReached(AppError):
    """A limit is reached in this minute, or at this moment; the call was refused and consumed nothing.

    `states` tells of all limits of the call.
    """

    kind = Kind.RATE_LIMITED
    code = "rate_limited"
    states: tuple[LimitState, ...] = ()


class RateLimited(LimitReached):
    """So many requests or units were used in this minute."""


class ConcurrencyLimited(LimitReached):
    """So many calls are running at this moment."""

    code = "concurrency_limited"


class CallTooLarge(AppError):
    """The call asks for more units than one of its limits allows in a whole minute: no waiting lets it through."""

    kind = Kind.TOO_LARGE
    code = "call_too_large"


def too_large(rule: RateRule) -> CallTooLarge:
    """Return the error of a call that the rule would refuse in every minute."""
    return CallTooLarge(
        f"this call asks for {rule.cost} units, and {_owner_of(rule.name)} may use {rule.limit} a minute",
        where="inputs",
        hint=f"send at most {rule.limit} inputs in one call, or {_WAYS_OUT.get(_owner_of(rule.name), _WAY_OUT)}",
        limit=rule.name,
        limit_size=rule.limit,
        asked=rule.cost,
    )


def refusal(rule: RateRule | SlotRule, reset_s: int, states: tuple[LimitState, ...]) -> LimitReached:
    """Return the error of a call that the rule refused, `reset_s` seconds before the end of the minute."""
    error = _rate_refusal(rule, reset_s) if isinstance(rule, RateRule) else _slot_refusal(rule)
    error.states = states
    return error


def _rate_refusal(rule: RateRule, reset_s: int) -> RateLimited:
    owner, counted = _owner_of(rule.name), "units" if "units" in rule.name else "requests"
    asks = f"; this call asks for {rule.cost}" if counted == "units" else ""
    return RateLimited(
        f"{owner} may use {rule.limit} {counted} a minute{asks}",
        hint=_hint_of(rule, owner),
        retry_after_s=reset_s,
        limit=rule.name,
        limit_size=rule.limit,
        reset_s=reset_s,
    )


def _hint_of(rule: RateRule, owner: str) -> str:
    if rule.cost > rule.limit:  # of a share alone: what is beyond the whole limit was refused before it was counted
        return "send fewer inputs in one call, or wait until the limits are shared again"
    return _HINTS.get(owner, _HINT)


def _slot_refusal(rule: SlotRule) -> ConcurrencyLimited:
    return ConcurrencyLimited(
        f"{_owner_of(rule.name)} may have {rule.limit} calls at once, and has them",
        hint="wait until one of them has ended",
        retry_after_s=_SLOT_RETRY_S,
        limit=rule.name,
        limit_size=rule.limit,
        reset_s=_SLOT_RETRY_S,
    )


_WAY_OUT = "ask for a higher limit"
_WAYS_OUT = {"a test key": "use a live key"}
_HINT = "wait for the next minute, or ask for a higher limit"
_HINTS = {"a test key": "wait, send fewer inputs, or use a live key"}


def _owner_of(name: str) -> str:
    kind = name.partition("_")[0]
    return {"test": "a test key", "key": "this key", "account": "this account", "model": "this model"}[kind]
