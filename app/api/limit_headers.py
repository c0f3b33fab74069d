"""The headers that tell of limits: RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10)."""

from collections.abc import Sequence

from app.charging.limits.limit_state import LimitState

# What a policy counts, by the end of its name; without a word it is requests.
_QUOTA_UNITS = {"units": ';qu="units"', "concurrency": ';qu="concurrent-requests"'}


def limit_headers(states: Sequence[LimitState]) -> dict[str, str]:
    """Return what each limit is, and what is left of it: `"key-requests";q=100;w=60` and `"key-requests";r=50;t=30`."""
    return {
        "RateLimit-Policy": ", ".join(_policy(state) for state in states),
        "RateLimit": ", ".join(_limit(state) for state in states),
    }


def _policy(state: LimitState) -> str:
    name = _name(state)
    window = "" if state.window_s is None else f";w={state.window_s}"
    return f'"{name}";q={state.limit}{_QUOTA_UNITS.get(name.rpartition("-")[2], "")}{window}'


def _limit(state: LimitState) -> str:
    reset = "" if state.reset_s is None else f";t={state.reset_s}"
    return f'"{_name(state)}";r={state.remaining}{reset}'


def _name(state: LimitState) -> str:
    return state.name.removesuffix("_per_minute").replace("_", "-")
