"""Asking an OpenID Connect provider over HTTP: only where nobody listens on the way, and only for JSON objects."""

from collections.abc import Mapping
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.errors import AppError, Kind, Unavailable

_TIMEOUT_S = 10.0


class ProviderUnavailable(Unavailable):
    """The provider does not answer, or not in the way that it must."""

    code = "provider_unavailable"


class ProviderRefused(AppError):
    """The sign-in at the provider did not end well, or what came back does not prove who is there."""

    kind = Kind.UNAUTHENTICATED
    code = "provider_refused"


def is_safe(url: object) -> bool:
    """Tell whether nobody on the way reads or changes what is said: https, or this machine."""
    if not isinstance(url, str):
        return False
    parts = urlsplit(url)
    return parts.scheme == "https" or (parts.scheme == "http" and _is_loopback(parts.hostname or ""))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


async def fetch(
    method: str, url: str, *, headers: Mapping[str, str] | None = None, body: str | None = None
) -> dict[str, Any]:
    """Return the JSON object that the provider answers; redirects are not followed.

    Raises ProviderRefused, ProviderUnavailable.
    """
    try:
        async with httpx.AsyncClient(timeout=_TIMEOUT_S) as client:
            response = await client.request(
                method, url, headers={"Accept": "application/json", **(headers or {})}, content=body
            )
        answer = response.json()
    except (httpx.HTTPError, httpx.InvalidURL, ValueError) as error:
        raise ProviderUnavailable("the provider does not answer", retry_after_s=30) from error
    if response.is_client_error:
        raise ProviderRefused("the provider did not accept the sign-in", hint="sign in again")
    if not response.is_success or not isinstance(answer, dict):
        raise ProviderUnavailable("the provider does not answer as it must", retry_after_s=30)
    return answer
