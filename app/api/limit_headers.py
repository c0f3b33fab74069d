"""The headers that tell of limits: RateLimit-Policy and RateLimit (draft-ietf-httpapi-ratelimit-headers-10)."""

from collections.abc import Sequence

from app.charging.limits.limit_state import LimitState

# What a policy counts, by the end of its name; without a word it is requests.
_QUOTA_UNITS = {"_units_per_minute": ';qu="units"', "_concurrency_max": ';qu="concurrent-requests"'}


def limit_headers(states: Sequence[LimitState]) -> dict[str, str]:
    """Return what each limit is, and what is left of it.

    `"key_requests_per_minute";q=100;w=60` and `"key_requests_per_minute";r=50;t=30`: names as settings and problems
    have them.
    """
    return {
        "RateLimit-Policy": ", ".join(_policy(state) for state in states),
        "RateLimit": ", ".join(_limit(state) for state in states),
    }


def _policy(state: LimitState) -> str:
    window = "" if state.window_s is None else f";w={state.window_s}"
    counted = next((word for end, word in _QUOTA_UNITS.items() if state.name.endswith(end)), "")
    return f'"{state.name}";q={state.limit}{counted}{window}'


def _limit(state: LimitState) -> str:
    reset = "" if state.reset_s is None else f";t={state.reset_s}"
    return f'"{state.name}";r={state.remaining}{reset}'
