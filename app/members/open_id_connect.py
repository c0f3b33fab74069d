"""The use case of signing in at the installation's OpenID Connect provider, where it has one."""

import asyncio
import hmac
from collections.abc import Mapping

from app.accounts.account import User
from app.audit_log.actor import Actor
from app.members.identities import Identities
from app.members.identity import ProvenIdentity
from app.members.identity_binding import IdentityBinding
from app.members.open_id_attempt import SignInAttempt, local_page, read_attempt, write_attempt
from app.members.open_id_http import ProviderRefused
from app.members.open_id_provider import OpenIdProvider
from app.period import parse_zone

CALLBACK_PATH = "/login/callback"


class OpenIdConnect:
    """`enabled` tells whether there is a provider, `name` what people call it."""

    def __init__(
        self, identities: Identities, binding: IdentityBinding, provider: OpenIdProvider | None, *, name: str
    ) -> None:
        self._identities = identities
        self._binding = binding
        self._provider = provider
        self.name = name

    @property
    def enabled(self) -> bool:
        """Tell whether there is a provider."""
        return self._provider is not None

    @property
    def issuer(self) -> str | None:
        """The address by which the provider is known, None where there is none."""
        return self._provider.issuer if self._provider else None

    async def authorize(self, return_to: str, *, zone: str = "UTC", binds: bool = False) -> tuple[str, str]:
        """Return where to send the browser, and the value of the cookie that it must bring back.

        `zone` is that of the account which a newcomer gets; with `binds`, `bind` ends the attempt, else `finish`.
        Raises ProviderRefused, ProviderUnavailable, Invalid.
        """
        provider = self._required_provider()
        parse_zone(zone)
        attempt = provider.new_attempt(return_to=local_page(return_to), zone=zone, binds=binds)
        return await provider.authorization_url(attempt), write_attempt(attempt)

    async def finish(
        self, query: Mapping[str, str], state_cookie: str, *, language: str = "en", address: str | None = None
    ) -> User:
        """Return the user whom the provider vouches for.

        Raises ProviderRefused, ProviderUnavailable, EmailUnverified, IdentityConflict, IdentityUnbound, SignUpClosed.
        """
        identity, attempt = await self._proven(query, state_cookie, binds=False)
        user_of = self._identities.user_of
        return await asyncio.to_thread(user_of, identity, zone=attempt.zone, language=language, address=address)

    async def bind(
        self, query: Mapping[str, str], state_cookie: str, *, session_id: str, by: Actor, language: str
    ) -> User:
        """Bind whom the provider vouches for to the user who acts.

        Raises ProviderRefused, ProviderUnavailable, PasswordNeeded, IdentityConflict.
        """
        identity, _ = await self._proven(query, state_cookie, binds=True)
        bind = self._binding.bind
        return await asyncio.to_thread(bind, identity, session_id=session_id, by=by, language=language)

    def binds(self, state_cookie: str) -> bool:
        """Tell whether the attempt adds a way in to a user, and does not sign in."""
        attempt = read_attempt(state_cookie)
        return attempt is not None and attempt.binds

    async def _proven(
        self, query: Mapping[str, str], state_cookie: str, *, binds: bool
    ) -> tuple[ProvenIdentity, SignInAttempt]:
        """Return who is there, and the attempt that the browser brought back. Raises as its callers say."""
        provider, attempt = self._required_provider(), read_attempt(state_cookie)
        state = query.get("state", "").encode()
        if attempt is None or attempt.binds is not binds or not hmac.compare_digest(state, attempt.state.encode()):
            raise ProviderRefused("this sign-in was not begun in this browser", hint="sign in again")
        if query.get("iss", provider.issuer) != provider.issuer:  # RFC 9207: the answer of somebody else
            raise ProviderRefused("the answer comes from another provider", hint="sign in again")
        if "error" in query or not query.get("code"):
            raise ProviderRefused("the provider did not let you in", hint="sign in again")
        return await provider.identity(query["code"], attempt), attempt

    def return_to(self, state_cookie: str) -> str:
        """Return the page on which the sign-in began, always one of this installation."""
        attempt = read_attempt(state_cookie)
        return local_page(attempt.return_to) if attempt else "/"

    def _required_provider(self) -> OpenIdProvider:
        if self._provider is None:
            raise ProviderRefused("this installation has no provider", hint="sign in with e-mail and password")
        return self._provider
