"""The postman delivers each mail once, comes back for what failed, and forgets what it has delivered."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from email.message import EmailMessage

import pytest
from structlog.testing import capture_logs

from app.clock import FrozenClock
from app.database import Database
from app.errors import Invalid
from app.outbox.delivery import NeverDelivered, NotDelivered
from app.outbox.postman import Postman
from app.outbox.store import purge_mails
from tests.outbox.mail_room import MailRoom, Way


def test_what_waits_is_delivered_once_and_its_text_is_gone(room: MailRoom) -> None:
    room.enqueue()
    way = Way()
    postman = room.postman(way)
    assert (postman.deliver_waiting(), postman.deliver_waiting()) == (1, 0)
    assert way.delivered == ["Hello"]
    (row,) = room.rows()
    assert (row.text, row.html, row.attempts, row.next_attempt_at) == ("", "", 1, None)
    assert row.delivered_at is not None


def test_mails_leave_in_the_order_in_which_they_came(room: MailRoom, clock: FrozenClock) -> None:
    way = Way()
    for number in range(3):
        room.enqueue(f"number {number}")
        clock.advance(timedelta(seconds=1))
    assert room.postman(way).deliver_waiting() == 3
    assert way.delivered == ["number 0", "number 1", "number 2"]


def test_a_failed_attempt_is_repeated_after_a_wait_that_grows(room: MailRoom, clock: FrozenClock) -> None:
    room.enqueue()
    way = Way(*[NotDelivered("the server does not do it")] * 3)
    postman = room.postman(way)
    for wait_s in (30, 60, 120):
        assert postman.deliver_waiting() == 0
        clock.advance(timedelta(seconds=wait_s - 1))
        assert postman.deliver_waiting() == 0
        clock.advance(timedelta(seconds=1))
    assert room.rows()[0].last_error == "the server does not do it"
    assert postman.deliver_waiting() == 1
    assert way.delivered == ["Hello"]
    assert (room.rows()[0].attempts, room.rows()[0].last_error) == (4, None)


def test_one_mail_that_fails_keeps_no_other_waiting(room: MailRoom) -> None:
    room.enqueue("first")
    room.enqueue("second")
    way = Way(NotDelivered("away"))
    assert room.postman(way).deliver_waiting() == 1


def test_after_three_days_a_mail_is_given_up_and_its_text_is_gone(room: MailRoom, clock: FrozenClock) -> None:
    room.enqueue()
    postman = room.postman(Way(*[NotDelivered("away")] * 2))
    postman.deliver_waiting()
    clock.advance(timedelta(days=3))
    assert postman.deliver_waiting() == 0
    clock.advance(timedelta(days=1))
    assert postman.deliver_waiting() == 0
    (row,) = room.rows()
    assert (row.text, row.next_attempt_at, row.delivered_at, row.last_error) == ("", None, None, "away")


def test_what_is_refused_for_good_is_not_tried_again(room: MailRoom, clock: FrozenClock) -> None:
    room.enqueue()
    way = Way(NeverDelivered("no such mailbox"))
    postman = room.postman(way)
    postman.deliver_waiting()
    clock.advance(timedelta(days=1))
    assert postman.deliver_waiting() == 0
    assert room.rows()[0].last_error == "no such mailbox"


def test_a_bug_that_one_mail_meets_stops_no_other_and_is_given_up_like_any_failure(
    room: MailRoom, clock: FrozenClock
) -> None:
    class Broken(Way):
        def deliver(self, message: EmailMessage, *, name: str) -> None:
            if message["Subject"] == "poison":
                raise ZeroDivisionError
            super().deliver(message, name=name)

    room.enqueue("poison")
    clock.advance(timedelta(seconds=1))
    room.enqueue("whole")
    postman = room.postman(Broken())
    with capture_logs() as lines:
        assert postman.deliver_waiting() == 1
        clock.advance(timedelta(days=3))
        assert postman.deliver_waiting() == 0
    poison = room.rows()[0]
    assert (poison.text, poison.next_attempt_at, poison.last_error) == ("", None, "a bug: ZeroDivisionError")
    assert any(line["log_level"] == "error" for line in lines)
    assert "secret-token" not in str(lines)


@pytest.mark.parametrize("to", ["", "a b@c", "a@b\r\nBcc: c@d", "a@b, c@d", "@b", "a@"])
def test_an_address_that_no_header_can_hold_stops_nothing(room: MailRoom, to: str) -> None:
    room.enqueue("broken", to=to)
    room.enqueue("whole")
    way = Way()
    assert room.postman(way).deliver_waiting() == 1
    assert way.delivered == ["whole"]


def test_two_processes_never_deliver_one_mail_twice(room: MailRoom, database: Database) -> None:
    subjects = [f"number {number}" for number in range(8)]
    for subject in subjects:
        room.enqueue(subject)
    ways = [Way(), Way(), Way()]
    with ThreadPoolExecutor(3) as pool:
        delivered = sum(pool.map(lambda way: room.postman(way).deliver_waiting(), ways))
    assert delivered == 8
    assert sorted(subject for way in ways for subject in way.delivered) == subjects


def test_a_mail_whose_process_died_on_the_way_is_delivered_by_another(room: MailRoom, clock: FrozenClock) -> None:
    class Death(BaseException):
        pass

    class Dying:
        def deliver(self, message: EmailMessage, *, name: str) -> None:
            raise Death

    room.enqueue()
    with pytest.raises(Death):
        room.postman(Dying()).deliver_waiting()
    way = Way()
    assert room.postman(way).deliver_waiting() == 0  # it may still be on its way
    clock.advance(timedelta(minutes=5))
    assert room.postman(way).deliver_waiting() == 1
    assert way.delivered == ["Hello"]


async def test_the_thread_delivers_as_soon_as_it_is_woken(room: MailRoom) -> None:
    arrived = threading.Event()

    class Noticing(Way):
        def deliver(self, message: EmailMessage, *, name: str) -> None:
            super().deliver(message, name=name)
            arrived.set()

    way = Noticing()
    postman = room.postman(way)
    postman.start()
    room.enqueue()
    postman.wake()
    assert arrived.wait(10)
    await postman.stop()
    assert way.delivered == ["Hello"]


async def test_not_even_a_bug_ends_the_thread(room: MailRoom) -> None:
    met, arrived = threading.Event(), threading.Event()

    class Buggy:
        def deliver(self, message: EmailMessage, *, name: str) -> None:
            if not met.is_set():
                met.set()
                raise RuntimeError("a bug")
            arrived.set()

    postman = room.postman(Buggy())
    room.enqueue("first")
    postman.start()
    assert met.wait(10)
    room.enqueue("second")
    postman.wake()
    assert arrived.wait(10)
    await postman.stop()


def test_a_sender_without_an_address_is_refused_at_the_start(database: Database, clock: FrozenClock) -> None:
    with pytest.raises(Invalid) as caught:
        Postman(database, clock, Way(), sender="Faremeter")
    assert caught.value.where == "FAREMETER_MAIL_FROM"


def test_the_sweep_takes_what_is_done_and_leaves_what_waits(room: MailRoom, clock: FrozenClock) -> None:
    room.enqueue("done")
    room.postman(Way()).deliver_waiting()
    room.enqueue("waits")
    clock.advance(timedelta(days=31))
    with room.database.transaction() as session:
        purge_mails(session, created_before=clock.now() - timedelta(days=30))
    assert [row.subject for row in room.rows()] == ["waits"]
