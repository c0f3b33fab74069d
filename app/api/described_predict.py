"""What /openapi.json says of the predict routes: what they read, and what they answer, with its headers."""

from typing import Any

from app.api.described_problems import REFUSED_CALLS, problems, together

IMAGE_TYPES = frozenset({"image/jpeg", "image/png", "image/webp"})

REQUEST: dict[str, Any] = {
    "parameters": [
        {
            "name": "Idempotency-Key",
            "in": "header",
            "schema": {"type": "string", "maxLength": 255},
            "description": "The same call under the same key runs and is charged once: each repeat gets the first one's"
            " status, body and usage headers",
        },
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["inputs"],
                    "additionalProperties": False,
                    "properties": {"inputs": {"type": "array", "minItems": 1, "items": {}}},
                },
                "example": {"inputs": [[0.04, 0.05, 0.06, 0.02, -0.04, -0.03, -0.04, 0, 0.02, -0.02]]},
            },
            "multipart/form-data": {
                "schema": {
                    "type": "object",
                    "properties": {"file": {"type": "array", "items": {"type": "string", "format": "binary"}}},
                }
            },
            **{media_type: {"schema": {"type": "string", "format": "binary"}} for media_type in sorted(IMAGE_TYPES)},
        },
    },
    "security": [{"bearer": []}, {"api_key": []}],
}
_LIMITS = {
    "RateLimit-Policy": {
        "schema": {"type": "string"},
        "description": "each limit of the call by the name that settings and problems give it: q is its size, w its"
        " window in seconds (draft-ietf-httpapi-ratelimit-headers); absent where nothing limits the call",
        "example": '"key_requests_per_minute";q=600;w=60, "account_concurrency_max";q=8;qu="concurrent-requests"',
    },
    "RateLimit": {
        "schema": {"type": "string"},
        "description": "what is left of each: r now, t the seconds until it counts anew",
        "example": '"key_requests_per_minute";r=599;t=43, "account_concurrency_max";r=7',
    },
}
_USAGE = {
    "Faremeter-Units": {"schema": {"type": "integer"}, "description": "usage.units, also of a repeat", "example": 8},
    "Faremeter-Amount": {
        "schema": {"type": "string"},
        "description": "usage.amount, also of a repeat; absent where it is null",
        "example": "0.00008",
    },
    "Idempotent-Replayed": {
        "schema": {"type": "string"},
        "description": "`true` where this is the answer of an earlier call under the same Idempotency-Key",
    },
}
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "headers": {**_USAGE, **_LIMITS},
        "description": "One output an input, in their order; `id` is the id of the usage event",
        "content": {
            "application/json": {
                "schema": {
                    "type": "object",
                    "required": ["id", "model", "version", "outputs", "usage"],
                    "properties": {
                        "id": {"type": "string"},
                        "model": {"type": "string"},
                        "version": {"type": "integer"},
                        "outputs": {"type": "array", "items": {"type": "object"}},
                        "usage": {
                            "type": "object",
                            "required": ["units", "unit", "queue_ms", "compute_ms", "amount", "currency"],
                            "properties": {
                                "units": {"type": "integer", "description": "inputs of this call"},
                                "unit": {"type": "string", "description": "what one input is", "examples": ["row"]},
                                "queue_ms": {"type": "number", "description": "waited for the device"},
                                "compute_ms": {"type": "number", "description": "this call's part of its batch"},
                                "results": {"type": "integer", "description": "where the plan prices results"},
                                "amount": {
                                    "type": ["string", "null"],
                                    "description": "what the call costs, a decimal string; null where tiers decide",
                                    "examples": ["0.00008"],
                                },
                                "amount_estimate": {"type": "string", "description": "at the current tier"},
                                "currency": {"type": "string", "examples": ["USD"]},
                            },
                        },
                    },
                }
            }
        },
    }
}
RESPONSES = together(together(problems(*REFUSED_CALLS), {429: {"headers": _LIMITS}}), _ANSWER)
