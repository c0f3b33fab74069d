"""One request over bare ASGI, whose client a test can let go away at any moment."""

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any

from starlette.types import Message

from tests.api.installation import Installation, Tenant


@dataclass
class Conversation:
    """What a server sees of a client that sends its request, waits, and perhaps leaves."""

    faremeter: Installation
    left: asyncio.Event = field(default_factory=asyncio.Event)
    noticed: asyncio.Event = field(default_factory=asyncio.Event)
    sent: list[Message] = field(default_factory=list)
    parts: list[Message] = field(default_factory=list)

    def predict(self, tenant: Tenant, inputs: Any, *, model: str, key: str) -> "asyncio.Task[None]":
        """Start a predict call whose body has arrived whole."""
        self.parts = [{"type": "http.request", "body": json.dumps({"inputs": inputs}).encode(), "more_body": False}]
        return self.start(f"/v1/models/{model}/predict", tenant, {"Idempotency-Key": key})

    def start(self, path: str, tenant: Tenant, headers: dict[str, str]) -> "asyncio.Task[None]":
        named = {"Content-Type": "application/json", **tenant.headers, **headers}
        scope = {
            "type": "http",
            "asgi": {"version": "3.0", "spec_version": "2.4"},
            "http_version": "1.1",
            "method": "POST",
            "scheme": "http",
            "path": path,
            "raw_path": path.encode(),
            "query_string": b"",
            "root_path": "",
            "headers": [(name.lower().encode(), value.encode()) for name, value in named.items()],
            "client": ("127.0.0.1", 1),
            "server": ("127.0.0.1", 80),
        }
        return asyncio.create_task(self.faremeter.app(scope, self.receive, self.send))

    async def receive(self) -> Message:
        if self.parts:
            return self.parts.pop(0)
        await self.left.wait()
        self.noticed.set()
        return {"type": "http.disconnect"}

    async def send(self, message: Message) -> None:
        self.sent.append(message)

    async def leave(self) -> None:
        """Go away, and return once the server has noticed."""
        self.left.set()
        await self.noticed.wait()
        await asyncio.sleep(0)

    @property
    def status(self) -> int:
        return int(self.sent[0]["status"])
