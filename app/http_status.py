"""Which HTTP status a kind of error has: the one place where the two meet, for the API and for the pages."""

from collections.abc import Mapping

from app.errors import Kind

STATUS_OF: Mapping[Kind, int] = {
    Kind.INVALID: 400,
    Kind.UNAUTHENTICATED: 401,
    Kind.PAYMENT_REQUIRED: 402,
    Kind.FORBIDDEN: 403,
    Kind.NOT_FOUND: 404,
    Kind.NOT_OFFERED: 405,
    Kind.CONFLICT: 409,
    Kind.TOO_LARGE: 413,
    Kind.UNSUPPORTED_MEDIA: 415,
    Kind.UNPROCESSABLE: 422,
    Kind.RATE_LIMITED: 429,
    Kind.FAILED: 500,
    Kind.UNAVAILABLE: 503,
    Kind.DEADLINE: 504,
}
