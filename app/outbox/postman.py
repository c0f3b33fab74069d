"""The postman: a thread that delivers what waits, and comes back for what could not be delivered."""

import asyncio
import threading
from datetime import timedelta
from email.utils import parseaddr

from app.clock import Clock
from app.database import Database, DatabaseUnavailable
from app.errors import Invalid
from app.outbox import store
from app.outbox.delivery import Delivery, NeverDelivered, NotDelivered
from app.outbox.mail import Mail, name_of
from app.outbox.message import message_of
from app.telemetry import get_logger

_POLL_S = 30.0
_CLAIM = timedelta(minutes=5)  # longer than a delivery takes: each of its steps ends after ten seconds
_FIRST_RETRY = timedelta(seconds=30)
_RETRY_MAX = timedelta(hours=1)
_GIVE_UP_AFTER = timedelta(days=3)
_log = get_logger(__name__)


class Postman:
    """Delivers each mail once; only where a process dies between a delivery and its note it is delivered again."""

    def __init__(self, database: Database, clock: Clock, delivery: Delivery, *, sender: str) -> None:
        if "@" not in parseaddr(sender)[1]:
            raise Invalid("the sender is no address", where="FAREMETER_MAIL_FROM", hint="write NAME <NAME@HOST>")
        self._database = database
        self._clock = clock
        self._delivery = delivery
        self._sender = sender
        self._woken = threading.Event()
        self._stopping = False
        self._thread = threading.Thread(target=self._work, name="postman", daemon=True)

    def start(self) -> None:
        """Begin to deliver."""
        self._thread.start()

    async def stop(self) -> None:
        """Stop after the mail that is on its way."""
        self._stopping = True
        self._woken.set()
        await asyncio.to_thread(self._thread.join)

    def wake(self) -> None:
        """Let the postman look now: something was enqueued, and is committed."""
        self._woken.set()

    def deliver_waiting(self) -> int:
        """Deliver what is due; return how many mails left. Raises DatabaseUnavailable."""
        delivered = 0
        while not self._stopping:
            now = self._clock.now()
            with self._database.transaction() as session:
                claimed = store.claim_due(session, now, now + _CLAIM)
            if claimed is None:
                break
            delivered += self._deliver(*claimed)
        return delivered

    def _work(self) -> None:
        while not self._stopping:
            self._woken.clear()
            try:
                if delivered := self.deliver_waiting():
                    _log.info("mails were delivered", mails=delivered)
                wait_s = self._until_next()
            except DatabaseUnavailable:
                _log.warning("mail cannot be read from the database")
                wait_s = _POLL_S
            except Exception:  # noqa: BLE001 - not even a bug may end the thread: nobody could reset a password
                _log.exception("the delivery of mail met a bug")
                wait_s = _POLL_S
            self._woken.wait(wait_s)

    def _deliver(self, mail: Mail, attempt: int) -> bool:
        try:
            message = message_of(mail, sender=self._sender)
            self._delivery.deliver(message, name=name_of(mail.created_at, mail.id))
        except NotDelivered as error:
            self._put_back(mail, attempt, error.detail)
            return False
        except NeverDelivered as error:
            _log.warning("a mail cannot be delivered", mail=mail.id, cause=error.detail)
            self._give_up(mail, error.detail)
            return False
        except Exception as error:  # noqa: BLE001 - a bug that one mail meets keeps no other waiting, and ends with it
            _log.exception("the delivery of a mail met a bug", mail=mail.id)
            self._put_back(mail, attempt, f"a bug: {type(error).__name__}")
            return False
        with self._database.transaction() as session:
            store.mark_delivered(session, mail.id, self._clock.now())
        return True

    def _put_back(self, mail: Mail, attempt: int, error: str) -> None:
        now = self._clock.now()
        if now >= mail.created_at + _GIVE_UP_AFTER:
            _log.warning("a mail is given up", mail=mail.id, cause=error)
            self._give_up(mail, error)
            return
        _log.warning("a mail could not be delivered yet", mail=mail.id, attempt=attempt, cause=error)
        with self._database.transaction() as session:
            store.mark_failed(session, mail.id, error, next_attempt_at=now + _wait_after(attempt))

    def _give_up(self, mail: Mail, error: str) -> None:
        with self._database.transaction() as session:
            store.mark_given_up(session, mail.id, error)

    def _until_next(self) -> float:
        with self._database.reading() as session:
            next_at = store.next_attempt_at(session)
        if next_at is None:
            return _POLL_S
        return min(max((next_at - self._clock.now()).total_seconds(), 1.0), _POLL_S)


def _wait_after(attempt: int) -> timedelta:
    """Return how long to wait after that many attempts: twice as long each time, an hour at most."""
    return min(_FIRST_RETRY * (1 << min(attempt - 1, 10)), _RETRY_MAX)
