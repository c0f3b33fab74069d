"""From a secret to a principal: a checksum, a cache of immutable facts, and the database only for what is new."""

from dataclasses import dataclass

from app.accounts import caller_store
from app.accounts.account import ApiKey, Principal
from app.accounts.key_secret import digest_of, well_formed
from app.clock import Clock
from app.database import Database
from app.errors import AppError, Kind
from app.fact_cache import FactCache

_KEYS_CACHED_MAX = 100_000
_UNKNOWN_CACHED_MAX = 10_000


class Unauthenticated(AppError):
    """No usable credential came with the request."""

    kind = Kind.UNAUTHENTICATED
    code = "unauthenticated"


@dataclass(frozen=True, slots=True)
class _Lookup:
    """What the database says about a digest; that there is no such key is a fact as well."""

    found: tuple[ApiKey, Principal] | None


class Authenticator:
    """Knows the keys. `forget()` is called when the change sequence has moved: within 250 ms of a revocation."""

    def __init__(self, database: Database, clock: Clock) -> None:
        self._database = database
        self._clock = clock
        self._keys: FactCache[bytes, _Lookup] = FactCache(_KEYS_CACHED_MAX)
        self._unknown: FactCache[bytes, _Lookup] = FactCache(_UNKNOWN_CACHED_MAX)  # anybody can make these up

    def known(self, secret: str) -> Principal | None:
        """Return the principal of a secret that is in the cache, without touching the database.

        Returns None where the secret must be looked up by `authenticate`. Raises Unauthenticated for a malformed one.
        """
        if not well_formed(secret):
            raise Unauthenticated(
                "this is not a Faremeter key", hint="a key is fm_live_ or fm_test_ and 38 characters; check for a typo"
            )
        digest = digest_of(secret)
        lookup = self._keys.get(digest) or self._unknown.get(digest)
        return None if lookup is None else self._usable(lookup)

    def authenticate(self, secret: str) -> Principal:
        """Return the principal of a secret, from the database where need be. Raises Unauthenticated."""
        if principal := self.known(secret):
            return principal
        return self._usable(self._load(digest_of(secret)))

    def forget(self) -> None:
        """Drop every cached fact."""
        self._keys.clear()
        self._unknown.clear()

    def _load(self, digest: bytes) -> _Lookup:
        """Read a fact and keep it among its own kind: guesses push no real key out."""

        def load_unknown() -> _Lookup:
            return self._unknown.load(digest, lambda: self._look_up(digest), keep=lambda lookup: lookup.found is None)

        return self._keys.load(digest, load_unknown, keep=lambda lookup: lookup.found is not None)

    def _look_up(self, digest: bytes) -> _Lookup:
        with self._database.reading() as session:
            return _Lookup(caller_store.find_caller(session, digest))

    def _usable(self, lookup: _Lookup) -> Principal:
        if lookup.found is None:
            raise Unauthenticated("this key is unknown", hint="create one with POST /v1/keys")
        key, principal = lookup.found
        if not key.usable_at(self._clock.now()):
            ended = "was revoked" if key.revoked_at else "has expired"
            raise Unauthenticated(f"this key {ended}", hint="create a new key")
        return principal
