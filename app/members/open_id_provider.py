"""Talking to an OpenID Connect provider: authorization code with PKCE, and an ID token checked to the last claim.

Requests and their parts are made by authlib, signatures are checked by joserfc: nothing of that is written here.
"""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from authlib.common.security import generate_token
from authlib.oauth2.auth import ClientAuth
from authlib.oauth2.rfc6749.parameters import prepare_grant_uri, prepare_token_request
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from authlib.oidc.core import CodeIDToken
from authlib.oidc.discovery import get_well_known_url
from joserfc import jwt
from joserfc.errors import BadSignatureError, InvalidKeyIdError, JoseError
from joserfc.jwk import KeySet

from app.clock import Clock
from app.members.identity import ProvenIdentity
from app.members.open_id_attempt import SignInAttempt
from app.members.open_id_http import ProviderRefused, ProviderUnavailable, fetch, is_safe

_METADATA_TTL = timedelta(hours=1)
_LEFT_ALONE_FOR = timedelta(seconds=10)  # after it did not answer
_LEEWAY_S = 60
_ENDPOINTS = ("authorization_endpoint", "token_endpoint", "jwks_uri")
# Asymmetric ones only: with a shared secret, or with `none`, whoever reads the configuration could sign.
_ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512"]


@dataclass(frozen=True, slots=True)
class _Description:
    """What the provider says of itself, and its keys."""

    metadata: Mapping[str, Any]
    keys: KeySet
    loaded_at: datetime


class OpenIdProvider:
    """One provider, and this installation as its client. `client_secret` is None for a public client."""

    def __init__(
        self, clock: Clock, *, issuer: str, client_id: str, client_secret: str | None, redirect_uri: str
    ) -> None:
        self._clock = clock
        self._client_id = client_id
        self._client_secret = client_secret
        self._redirect_uri = redirect_uri
        self._known: _Description | None = None
        self._asked_again_at: datetime | None = None
        self._loading = asyncio.Lock()
        self.issuer = issuer

    def new_attempt(self, *, return_to: str, zone: str, binds: bool) -> SignInAttempt:
        """Return the secrets of a new attempt."""
        return SignInAttempt(generate_token(43), generate_token(43), generate_token(64), return_to, zone, binds)

    async def authorization_url(self, attempt: SignInAttempt) -> str:
        """Return where to send the browser. Raises ProviderUnavailable."""
        description = await self._description()
        url: str = prepare_grant_uri(
            description.metadata["authorization_endpoint"],
            self._client_id,
            "code",
            redirect_uri=self._redirect_uri,
            scope="openid email profile",
            state=attempt.state,
            nonce=attempt.nonce,
            code_challenge=create_s256_code_challenge(attempt.verifier),
            code_challenge_method="S256",
        )
        return url

    async def identity(self, code: str, attempt: SignInAttempt) -> ProvenIdentity:
        """Return who is there. Raises ProviderRefused, ProviderUnavailable."""
        tokens = await self._redeem(code, attempt.verifier)
        claims = await self._checked_claims(tokens, attempt.nonce)
        profile = claims if "email" in claims else await self._user_info(tokens, claims["sub"])
        email, name = profile.get("email"), profile.get("name")
        vouched_for = profile.get("email_verified") is True and isinstance(email, str)
        return ProvenIdentity(
            issuer=self.issuer,
            subject=claims["sub"],
            email=email if vouched_for else None,
            name=name if isinstance(name, str) else "",
        )

    async def _description(self, *, newer_than: _Description | None = None) -> _Description:
        """Return what is known, unless it is old; of many who want to know one asks, and none while it keeps silent."""
        async with self._loading:
            now, known = self._clock.now(), self._known
            if known is not None and known is not newer_than and now - known.loaded_at <= _METADATA_TTL:
                return known
            if self._asked_again_at is not None and now < self._asked_again_at:
                raise ProviderUnavailable("the provider does not answer", retry_after_s=_LEFT_ALONE_FOR.seconds)
            try:
                self._known = await self._load_description(now)
            except (ProviderRefused, ProviderUnavailable):
                self._asked_again_at = now + _LEFT_ALONE_FOR
                raise
            return self._known

    async def _load_description(self, now: datetime) -> _Description:
        metadata = await fetch("GET", get_well_known_url(self.issuer, external=True))
        if metadata.get("issuer") != self.issuer or not all(is_safe(metadata.get(name)) for name in _ENDPOINTS):
            raise ProviderUnavailable("the provider's description of itself is not to be trusted")
        key_set: Any = await fetch("GET", metadata["jwks_uri"])
        try:
            return _Description(metadata, KeySet.import_key_set(key_set), now)
        except (JoseError, KeyError, TypeError, ValueError) as error:
            raise ProviderUnavailable("the provider's keys cannot be read") from error

    async def _redeem(self, code: str, verifier: str) -> dict[str, Any]:
        """Exchange the code for tokens; only who began the sign-in has the verifier."""
        metadata = (await self._description()).metadata
        body = prepare_token_request(
            "authorization_code", redirect_uri=self._redirect_uri, code=code, code_verifier=verifier
        )
        methods = metadata.get("token_endpoint_auth_methods_supported", ["client_secret_basic"])
        wanted = "client_secret_basic" if "client_secret_basic" in methods else "client_secret_post"
        client = ClientAuth(self._client_id, self._client_secret, wanted if self._client_secret else "none")
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        url, headers, body = client.prepare("POST", metadata["token_endpoint"], headers, body)
        return await fetch("POST", url, headers=headers, body=body)

    async def _checked_claims(self, tokens: dict[str, Any], nonce: str) -> CodeIDToken:
        """Check the ID token: signature, issuer, audience, expiry, nonce, and the access token's hash."""
        try:
            token = await self._verified(str(tokens.get("id_token", "")))
            claims = CodeIDToken(
                token.claims,
                token.header,
                options={
                    "iss": {"essential": True, "value": self.issuer},
                    "aud": {"essential": True, "value": self._client_id},
                    "sub": {"essential": True},
                },
                params={"nonce": nonce, "client_id": self._client_id, "access_token": tokens.get("access_token")},
            )
            claims.validate(now=int(self._clock.now().timestamp()), leeway=_LEEWAY_S)
        except (JoseError, TypeError, ValueError) as error:
            raise ProviderRefused("the provider's token proves nothing", hint="sign in again") from error
        return claims

    async def _verified(self, id_token: str) -> jwt.Token:
        """Return the token once its signature is checked. Raises JoseError, ValueError."""
        known = await self._description()
        try:
            return jwt.decode(id_token, known.keys, algorithms=_ALGORITHMS)
        except (InvalidKeyIdError, BadSignatureError):  # the provider may sign with a newer key, named or not
            newer = await self._description(newer_than=known)
            return jwt.decode(id_token, newer.keys, algorithms=_ALGORITHMS)

    async def _user_info(self, tokens: dict[str, Any], subject: str) -> dict[str, Any]:
        """Return what the provider's other endpoint tells of the same person; nothing where there is none."""
        url, access_token = (await self._description()).metadata.get("userinfo_endpoint"), tokens.get("access_token")
        if not is_safe(url) or not isinstance(access_token, str):
            return {}
        told = await fetch("GET", str(url), headers={"Authorization": f"Bearer {access_token}"})
        return told if told.get("sub") == subject else {}
