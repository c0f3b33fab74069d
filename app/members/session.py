"""Somebody is signed in on some browser."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from app.accounts.account import User
from app.members.member import Membership

IDLE_MAX = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class BrowserSession:
    """A sign-in that lasts: until `expires_at` at most, and a day after it was last seen.

    `address` and `agent` are what the client said at sign-in; `rotation_due` asks for a new token at the next visit.
    """

    id: str
    user_id: str
    created_at: datetime
    last_seen_at: datetime
    expires_at: datetime
    address: str | None
    agent: str
    rotation_due: bool = False

    def usable_at(self, instant: datetime) -> bool:
        """Tell whether the session has neither expired nor been left alone for too long."""
        return instant < self.expires_at and instant < self.last_seen_at + IDLE_MAX


@dataclass(frozen=True, slots=True)
class Visit:
    """Who sends a request, and the token that the cookie must hold from now on."""

    session: BrowserSession
    user: User
    token: str
    memberships: tuple[Membership, ...]
