"""When the client goes away: a call that waits for its batch then leaves the queue, unbilled."""

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any


async def departure_of(receive: Callable[[], Awaitable[MutableMapping[str, Any]]]) -> None:
    """End when the client has gone away: after the body, that is the only message of ASGI to come."""
    while (await receive())["type"] != "http.disconnect":
        pass
