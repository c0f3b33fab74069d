"""The use case of signing in at the installation's OpenID Connect provider, where it has one."""

import asyncio
import hmac
from collections.abc import Mapping

from app.accounts.account import User
from app.members.identities import Identities
from app.members.open_id_attempt import local_page, read_attempt, write_attempt
from app.members.open_id_http import ProviderRefused
from app.members.open_id_provider import OpenIdProvider
from app.period import parse_zone

CALLBACK_PATH = "/login/callback"


class OpenIdConnect:
    """`enabled` tells whether there is a provider, `name` what people call it."""

    def __init__(self, identities: Identities, provider: OpenIdProvider | None, *, name: str) -> None:
        self._identities = identities
        self._provider = provider
        self.name = name

    @property
    def enabled(self) -> bool:
        """Tell whether there is a provider."""
        return self._provider is not None

    async def authorize(self, return_to: str, *, zone: str = "UTC") -> tuple[str, str]:
        """Return where to send the browser, and the value of the cookie that it must bring back.

        `zone` is that of the account which a newcomer gets. Raises ProviderRefused, ProviderUnavailable, Invalid.
        """
        provider = self._required_provider()
        parse_zone(zone)
        attempt = provider.new_attempt(return_to=local_page(return_to), zone=zone)
        return await provider.authorization_url(attempt), write_attempt(attempt)

    async def finish(self, query: Mapping[str, str], state_cookie: str, *, address: str | None = None) -> User:
        """Return the user whom the provider vouches for.

        Raises ProviderRefused, ProviderUnavailable, EmailUnverified, IdentityConflict, SignUpClosed.
        """
        provider, attempt = self._required_provider(), read_attempt(state_cookie)
        if attempt is None or not hmac.compare_digest(query.get("state", "").encode(), attempt.state.encode()):
            raise ProviderRefused("this sign-in was not begun in this browser", hint="sign in again")
        if query.get("iss", provider.issuer) != provider.issuer:  # RFC 9207: the answer of somebody else
            raise ProviderRefused("the answer comes from another provider", hint="sign in again")
        if "error" in query or not query.get("code"):
            raise ProviderRefused("the provider did not let you in", hint="sign in again")
        identity = await provider.identity(query["code"], attempt)
        return await asyncio.to_thread(self._identities.user_of, identity, zone=attempt.zone, address=address)

    def return_to(self, state_cookie: str) -> str:
        """Return the page on which the sign-in began, always one of this installation."""
        attempt = read_attempt(state_cookie)
        return local_page(attempt.return_to) if attempt else "/"

    def _required_provider(self) -> OpenIdProvider:
        if self._provider is None:
            raise ProviderRefused("this installation has no provider", hint="sign in with e-mail and password")
        return self._provider
