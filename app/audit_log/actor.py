"""Who acts: a person who signed in, a key, or the installation itself."""

from dataclasses import dataclass
from enum import StrEnum


class ActorKind(StrEnum):
    """By what somebody is known."""

    USER = "user"
    KEY = "key"
    INSTALLATION = "installation"


@dataclass(frozen=True, slots=True)
class Actor:
    """Who makes a change; `address` is the network address of the connection, where there is one."""

    kind: ActorKind
    id: str
    address: str | None = None


# Its jobs and its command line: whoever can run that can read the database.
INSTALLATION = Actor(ActorKind.INSTALLATION, "installation")
