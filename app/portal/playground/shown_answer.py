"""An answer of a model as the page shows it."""

from dataclasses import dataclass
from typing import Any

import msgspec

from app.serving.call import Answer


@dataclass(frozen=True, slots=True)
class ShownAnswer:
    """The answer's own members, and the JSON text that a program would get."""

    id: str
    version: int
    outputs: list[dict[str, Any]]
    usage: dict[str, Any]
    text: str
    live: bool
    replayed: bool

    @classmethod
    def of(cls, answer: Answer, *, live: bool) -> "ShownAnswer":
        """Read the answer that a program would get."""
        body = msgspec.json.decode(answer.stored.body)
        text = msgspec.json.format(answer.stored.body, indent=2).decode()
        return cls(body["id"], body["version"], body["outputs"], body["usage"], text, live, answer.replayed)
