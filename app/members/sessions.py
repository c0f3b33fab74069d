"""The use cases of browser sessions: open, visit, rotate, list, revoke."""

import builtins
import re
from dataclasses import replace
from datetime import datetime, timedelta

from app.accounts import user_store
from app.accounts.account import User
from app.audit_log.actor import Actor, ActorKind
from app.audit_log.store import record
from app.clock import Clock
from app.database import Database
from app.errors import NotFound
from app.ids import new_id
from app.members import member_store, session_store
from app.members.session import BrowserSession, Visit
from app.members.sign_in import require_standing
from app.members.token import digest_of, new_token

_SEEN_EVERY = timedelta(minutes=1)
_AGENT_CHARS_MAX = 200
_UNPRINTABLE = re.compile(r"[^\x20-\x7e]")


class SessionNotFound(NotFound):
    """The user has no such session."""

    code = "session_not_found"


class Sessions:
    """Who is signed in. Only `open` makes a session: a token that somebody made up never becomes one."""

    def __init__(self, database: Database, clock: Clock, *, ttl: timedelta) -> None:
        self._database = database
        self._clock = clock
        self._ttl = ttl

    def open(self, user: User, *, address: str | None, agent: str) -> tuple[BrowserSession, str]:
        """Sign a user in; return the session and its token, which is shown this once.

        Raises WrongCredentials where what the user has proved does not stand any more.
        """
        now, token = self._clock.now(), new_token()
        agent = _UNPRINTABLE.sub("", agent)[:_AGENT_CHARS_MAX]
        opened = BrowserSession(new_id("ses", now), user.id, now, now, now + self._ttl, address, agent)
        with self._database.transaction() as session:
            require_standing(session, user)
            session_store.insert_session(session, opened, digest=digest_of(token))
            record(session, by=_self(user.id, address), at=now, action="user.signed_in", target=user.id)
        return opened, token

    def visit(self, token: str) -> Visit | None:
        """Return who holds the token, None where nobody does.

        The visit's token replaces the one that came where a rotation was due; of two requests that come with the old
        one at once, one gets the new token and the other is nobody.
        """
        now, digest = self._clock.now(), digest_of(token)
        with self._database.reading() as session:
            found = session_store.find_session(session, digest)
            if found is None or not found.usable_at(now):
                return None
            user = user_store.find_user_by_id(session, found.user_id)
            memberships = tuple(member_store.memberships_of(session, found.user_id))
        if user is None:
            return None
        if not found.rotation_due:
            return Visit(self._seen(found, now), user, token, memberships)
        if (successor := self._rotated(digest, now)) is None:
            return None
        return Visit(replace(found, rotation_due=False, last_seen_at=now), user, successor, memberships)

    def rotate(self, visited: BrowserSession) -> None:
        """Let the session get a new token at its next visit."""
        with self._database.transaction() as session:
            session_store.ask_for_rotation_of(session, visited.id)

    def close(self, token: str, *, address: str | None = None) -> None:
        """Sign out; a token that is nobody's changes nothing."""
        with self._database.transaction() as session:
            found = session_store.find_session(session, digest_of(token))
            if found is not None and session_store.delete_session(session, found.user_id, found.id):
                by = _self(found.user_id, address)
                record(session, by=by, at=self._clock.now(), action="user.signed_out", target=found.user_id)

    def list(self, user_id: str) -> builtins.list[BrowserSession]:
        """Return the sessions in which a user is signed in, the one that was seen last first."""
        now = self._clock.now()
        with self._database.reading() as session:
            return [each for each in session_store.list_sessions(session, user_id) if each.usable_at(now)]

    def revoke(self, user_id: str, session_id: str, *, address: str | None = None) -> None:
        """End one of the user's own sessions. Raises SessionNotFound."""
        with self._database.transaction() as session:
            if not session_store.delete_session(session, user_id, session_id):
                raise SessionNotFound(f"there is no session {session_id}", where="session")
            by = _self(user_id, address)
            record(session, by=by, at=self._clock.now(), action="session.revoked", target=session_id)

    def revoke_others(self, user_id: str, session_id: str, *, address: str | None = None) -> int:
        """End every session of the user but this one; return how many there were."""
        with self._database.transaction() as session:
            ended = session_store.delete_other_sessions(session, user_id, session_id)
            if ended:
                by, now = _self(user_id, address), self._clock.now()
                record(session, by=by, at=now, action="session.others_revoked", target=session_id, ended=str(ended))
            return ended

    def _seen(self, found: BrowserSession, now: datetime) -> BrowserSession:
        if now - found.last_seen_at < _SEEN_EVERY:
            return found
        with self._database.transaction(durable=False) as session:
            session_store.touch(session, found.id, now)
        return replace(found, last_seen_at=now)

    def _rotated(self, digest: bytes, now: datetime) -> str | None:
        successor = new_token()
        with self._database.transaction() as session:
            won = session_store.rotate(session, old_digest=digest, new_digest=digest_of(successor), now=now)
        return successor if won else None


def _self(user_id: str, address: str | None) -> Actor:
    return Actor(ActorKind.USER, user_id, address)
