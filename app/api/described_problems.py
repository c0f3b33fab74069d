"""What /openapi.json says of problems: with which status, code and facts a route refuses, each by an example.

A route names its problems, `responses=problems(BUDGET_UNBOUNDED, …)`; tests compare the examples with what is answered.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from app.api.problem import PROBLEM_TYPE, problem_schema

Responses = dict[int | str, dict[str, Any]]
_AMOUNT = "of money a decimal string in `currency`, of units a whole number"
_BOUND = "the bound that refused: `balance`, a budget or quota as `key_budget_day`, a limit as `key_units_per_minute`"


def _fact(kind: str | list[str], text: str) -> dict[str, Any]:
    return {"type": kind, "description": text}


# Members of a problem beyond those that all of them have.
FACTS: Mapping[str, dict[str, Any]] = {
    "limit": _fact("string", _BOUND),
    "limit_size": _fact(["string", "integer"], f"how large it is: {_AMOUNT}, or a number of requests or calls"),
    "used": _fact(["string", "integer"], f"what is used of it or held by running calls: {_AMOUNT}"),
    "asked": _fact(["string", "integer"], f"what this call asks for at most: {_AMOUNT}"),
    "needed": _fact("string", "what this call costs at most, a decimal string in `currency`"),
    "available": _fact("string", "what calls may still take of the balance, a decimal string in `currency`"),
    "refundable": _fact("string", "the most that may be paid back now, a decimal string in `currency`"),
    "currency": _fact("string", "ISO 4217 code of the amounts"),
    "unit": _fact("string", "what a quota counts"),
    "reset_at": _fact("string", "when the window starts anew, RFC 3339 in UTC; absent: never"),
    "reset_s": _fact("integer", "in how many seconds it starts anew; absent: never"),
    "key": _fact("string", "the id of the key that the first request has made"),
}
_RETRY_AFTER = {"Retry-After": {"schema": {"type": "integer"}, "description": "seconds, as `retry_after_s`"}}


@dataclass(frozen=True, slots=True)
class DescribedProblem:
    """One code of a route's problems: its status, what it means, and the facts of an example."""

    status: int
    code: str
    meaning: str
    facts: Mapping[str, str | int] = field(default_factory=dict)
    retry_after_s: int | None = None


_MONEY: dict[str, str | int] = {"currency": "USD"}
_WINDOW: dict[str, str | int] = {"reset_at": "2026-11-25T00:00:00Z", "reset_s": 4210}
NO_PLAN = DescribedProblem(402, "no_plan", "the account has no plan, so nothing has a price for it")
INSUFFICIENT_BALANCE = DescribedProblem(
    402,
    "insufficient_balance",
    "the credit does not cover what the call costs at most",
    {"limit": "balance", "needed": "0.01", "available": "0.0042", **_MONEY},
)
BUDGET_EXCEEDED = DescribedProblem(
    402,
    "budget_exceeded",
    "a hard budget of money would be exceeded",
    {"limit": "key_budget_day", "limit_size": "10.00", "used": "9.998", "asked": "0.005", **_MONEY, **_WINDOW},
)
QUOTA_EXCEEDED = DescribedProblem(
    402,
    "quota_exceeded",
    "a hard quota of units would be exceeded",
    {"limit": "account_quota_day", "limit_size": 1000, "used": 998, "asked": 4, "unit": "units", **_WINDOW},
)
KEY_IN_USE = DescribedProblem(
    409, "idempotency_key_in_use", "the first request under this Idempotency-Key has not ended", retry_after_s=1
)
KEY_REUSED = DescribedProblem(
    422, "idempotency_key_reused", "the Idempotency-Key was used with another request, or by another caller"
)
KEY_MADE_ALREADY = DescribedProblem(
    409,
    "key_made_already",
    "a request under this Idempotency-Key has made its key; the secret was shown then",
    {"key": "key_019a2f4c8d2a7b3e9f10aabbccddeeff"},
)
CALL_TOO_LARGE = DescribedProblem(
    413,
    "call_too_large",
    "the call alone has more units than a limit allows in a minute: no waiting helps",
    {"limit": "key_units_per_minute", "limit_size": 100, "asked": 128},
)
RATE_LIMITED = DescribedProblem(
    429,
    "rate_limited",
    "so many requests or units were used in this minute",
    {"limit": "key_requests_per_minute", "limit_size": 600, "reset_s": 43},
    retry_after_s=43,
)
CONCURRENCY_LIMITED = DescribedProblem(
    429,
    "concurrency_limited",
    "so many calls are running at this moment",
    {"limit": "account_concurrency_max", "limit_size": 8, "reset_s": 1},
    retry_after_s=1,
)
BUDGET_UNBOUNDED = DescribedProblem(
    409, "budget_unbounded", "a plan of the account has a price that no budget of money can hold a call to"
)
BUDGET_LOOSENED = DescribedProblem(403, "budget_loosened", "a key may draw its own bounds tighter only")
LIMITS_LOOSENED = DescribedProblem(403, "limits_loosened", "a key with limits gives no higher ones, to itself neither")
LIMIT_OF_NO_MODEL = DescribedProblem(422, "limit_of_no_model", "no such model is here, and no plan has ever priced it")
GRANT_NOT_REFUNDABLE = DescribedProblem(
    409, "grant_not_refundable", "only credit that was paid for, and has not expired, is paid back"
)
REFUND_TOO_LARGE = DescribedProblem(
    409, "refund_too_large", "more than is left, or than running calls let go", {"refundable": "6.00", **_MONEY}
)
CLAIMED = (KEY_IN_USE, KEY_REUSED)
REFUSED_CALLS = (
    *(NO_PLAN, INSUFFICIENT_BALANCE, BUDGET_EXCEEDED, QUOTA_EXCEEDED),
    *(KEY_IN_USE, CALL_TOO_LARGE, KEY_REUSED, RATE_LIMITED, CONCURRENCY_LIMITED),
)


def problems(*described: DescribedProblem) -> Responses:
    """Return what a route's `responses` say of its problems, by status."""
    by_status: dict[int, list[DescribedProblem]] = {}
    for each in described:
        by_status.setdefault(each.status, []).append(each)
    return {status: _response_of(of_status) for status, of_status in by_status.items()}


def together(first: Mapping[int | str, Any], second: Mapping[int | str, Any]) -> Responses:
    """Return the responses of both; of a status that both have, all examples."""
    both: dict[Any, Any] = dict(first)
    for name, value in second.items():
        known = both.get(name)
        if name == "description" and known and known != value:
            both[name] = f"{known}; {value}" if value not in known else known
        else:
            both[name] = together(known, value) if isinstance(known, dict) and isinstance(value, dict) else value
    return both


def _response_of(described: list[DescribedProblem]) -> dict[str, Any]:
    facts = {name: FACTS[name] for each in described for name in each.facts}
    examples = {each.code: {"summary": each.meaning, "value": _example(each)} for each in described}
    response: dict[str, Any] = {
        "description": "; ".join(f"`{each.code}`: {each.meaning}" for each in described),
        "content": {PROBLEM_TYPE: {"schema": problem_schema(facts), "examples": examples}},
    }
    if any(each.retry_after_s is not None for each in described):
        response["headers"] = _RETRY_AFTER
    return response


def _example(described: DescribedProblem) -> dict[str, Any]:
    retry = {} if described.retry_after_s is None else {"retry_after_s": described.retry_after_s}
    return {"status": described.status, "code": described.code, **retry, **described.facts}
