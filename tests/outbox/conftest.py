import pytest

from app.clock import FrozenClock
from app.database import Database
from tests.outbox.mail_room import MailRoom


@pytest.fixture
def room(database: Database, clock: FrozenClock) -> MailRoom:
    return MailRoom(database, clock)
