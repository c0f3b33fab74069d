"""Tokens of links and sessions: 256 random bits that only their holder has; the database keeps their SHA-256."""

import hashlib
import secrets

_TOKEN_BYTES = 32


def new_token() -> str:
    """Return a fresh token from the system's random source."""
    return secrets.token_urlsafe(_TOKEN_BYTES)


def digest_of(token: str) -> bytes:
    """Return what is stored of a token. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode(errors="replace")).digest()
