"""A little OpenID Connect provider over loopback HTTP, which signs with a real key and lies where a test wants it."""

import base64
import hashlib
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

CLIENT_ID, CLIENT_SECRET = "meter", "a secret of the provider"
_KEY_BITS = 2048


@cache
def rsa_key(kid: str) -> RSAKey:
    """Return the key of that name: it takes a tenth of a second to make, so that all providers have the same ones."""
    return RSAKey.generate_key(_KEY_BITS, {"kid": kid})


class Provider:
    """What the provider is asked for and what it answers; `claims` and `forged` change the next token."""

    def __init__(self, now: int) -> None:
        self.now = now
        self.key = rsa_key("one")
        self.issuer = ""
        self.person: dict[str, Any] = {"sub": "subject-1", "email": "Ada@Example.com", "email_verified": True}
        self.claims: dict[str, Any] = {}
        self.signing_key = self.key
        self.algorithm = "RS256"
        self.metadata_changes: dict[str, Any] = {}
        self.profile_in_token = True
        self.names_keys = True
        self.descriptions_given = 0
        self.grants: dict[str, dict[str, str]] = {}

    def follow(self, url: str) -> dict[str, str]:
        """Do what the browser and the person do at the provider; return the query of the way back."""
        asked = {name: values[0] for name, values in parse_qs(urlsplit(url).query).items()}
        assert asked["response_type"] == "code"
        assert asked["code_challenge_method"] == "S256"
        code = f"code-{len(self.grants)}"
        self.grants[code] = asked
        return {"code": code, "state": asked["state"], "iss": self.issuer}

    def metadata(self) -> dict[str, Any]:
        self.descriptions_given += 1
        described = {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "userinfo_endpoint": f"{self.issuer}/me",
        }
        return described | self.metadata_changes

    def keys(self) -> dict[str, Any]:
        key = self.key.as_dict(private=False)
        return {"keys": [key if self.names_keys else {name: value for name, value in key.items() if name != "kid"}]}

    def tokens(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        """Redeem a code: once, for the client that it was made for, who shows the verifier."""
        expected = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        asked = self.grants.pop(form.get("code", ""), None)
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        challenge = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        if asked is None or authorization != f"Basic {expected}" or challenge != asked["code_challenge"]:
            return 400, {"error": "invalid_grant"}
        assert form["redirect_uri"] == asked["redirect_uri"]
        return 200, {"access_token": "access", "token_type": "Bearer", "id_token": self._id_token(asked["nonce"])}

    def _id_token(self, nonce: str) -> str:
        claims = {
            "iss": self.issuer,
            "aud": CLIENT_ID,
            "iat": self.now,
            "exp": self.now + 300,
            "nonce": nonce,
            **(self.person if self.profile_in_token else {"sub": self.person["sub"]}),
            **self.claims,
        }
        header = {"alg": self.algorithm} | ({"kid": self.signing_key.kid} if self.names_keys else {})
        present = {name: value for name, value in claims.items() if value is not None}
        return jwt.encode(header, present, self.signing_key, algorithms=[self.algorithm])


@contextmanager
def serving(provider: Provider) -> Iterator[None]:
    """Serve the provider on a free port of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            pages: dict[str, Callable[[], dict[str, Any]]] = {
                "/.well-known/openid-configuration": provider.metadata,
                "/keys": provider.keys,
                "/me": lambda: provider.person,
            }
            page = pages.get(self.path)
            self._answer(*((200, page()) if page else (404, {})))

        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._answer(*provider.tokens(form, self.headers.get("Authorization", "")))

        def _answer(self, status: int, value: dict[str, Any]) -> None:
            payload = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(payload)))
            self.end_headers()
            self.wfile.write(payload)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    provider.issuer = f"http://127.0.0.1:{server.server_port}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
