"""Sessions: made by a sign-in alone, ended by time and by hand, and never in two hands after a rotation."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from sqlalchemy import text

from app.accounts.account import User
from app.clock import FrozenClock
from app.members import session_store
from app.members.housekeeping import MemberHousekeeping
from app.members.session import BrowserSession, Visit
from app.members.sessions import SessionNotFound
from tests.members.people import CLIENT, People

AGENT = "Browser/1.0"


@pytest.fixture
def user(people: People) -> User:
    return people.join().user


@pytest.fixture
def opened(people: People, user: User) -> tuple[BrowserSession, str]:
    return people.sessions.open(user, address=CLIENT, agent=AGENT)


def visit(people: People, token: str) -> Visit:
    found = people.sessions.visit(token)
    assert found is not None
    return found


def test_a_sign_in_is_a_session_that_tells_who_visits(
    people: People, user: User, opened: tuple[BrowserSession, str]
) -> None:
    session, token = opened
    found = visit(people, token)
    assert (found.user, found.session, found.token) == (user, session, token)
    assert [membership.account.name for membership in found.memberships] == ["Ada Inc"]
    assert (session.address, session.agent) == (CLIENT, AGENT)
    entry = people.entries()[-1]
    assert (entry.action, entry.actor.id, entry.actor.address) == ("user.signed_in", user.id, CLIENT)


def test_what_a_browser_says_of_itself_is_cut_and_made_printable(people: People, user: User) -> None:
    session, _ = people.sessions.open(user, address=None, agent="a\r\n\x00\u202e" + "b" * 500)
    assert session.agent == "a" + "b" * 199


@pytest.mark.parametrize("token", ["", "made-up", "x" * 10_000, "\x00", "ü\ud800"])
def test_a_made_up_token_never_becomes_a_session(people: People, user: User, token: str) -> None:
    assert people.sessions.visit(token) is None
    _, issued = people.sessions.open(user, address=CLIENT, agent=AGENT)
    assert issued != token
    assert people.sessions.visit(token) is None


def test_the_token_is_not_in_the_database(people: People, opened: tuple[BrowserSession, str]) -> None:
    with people.database.reading() as session:
        assert opened[1] not in str(session.execute(text("SELECT * FROM browser_sessions")).all())


def test_a_session_ends_a_day_after_it_was_last_seen(
    people: People, clock: FrozenClock, opened: tuple[BrowserSession, str]
) -> None:
    for _ in range(3):
        clock.advance(timedelta(hours=23))
        visit(people, opened[1])
    clock.advance(timedelta(hours=24))
    assert people.sessions.visit(opened[1]) is None


def test_a_session_ends_after_its_whole_life_however_busy(
    people: People, clock: FrozenClock, opened: tuple[BrowserSession, str]
) -> None:
    for _ in range(27):
        clock.advance(timedelta(hours=12))
        visit(people, opened[1])
    clock.advance(timedelta(hours=12))
    assert people.sessions.visit(opened[1]) is None


def test_being_seen_is_written_once_a_minute(
    people: People, clock: FrozenClock, opened: tuple[BrowserSession, str]
) -> None:
    start = clock.now()
    clock.advance(timedelta(seconds=59))
    assert visit(people, opened[1]).session.last_seen_at == start
    clock.advance(timedelta(seconds=1))
    assert visit(people, opened[1]).session.last_seen_at == clock.now()
    assert people.sessions.list(opened[0].user_id)[0].last_seen_at == clock.now()


def test_signing_out_ends_the_session_and_a_strange_token_ends_none(
    people: People, user: User, opened: tuple[BrowserSession, str]
) -> None:
    people.sessions.close("made-up")
    visit(people, opened[1])
    people.sessions.close(opened[1], address=CLIENT)
    assert people.sessions.visit(opened[1]) is None
    people.sessions.close(opened[1])
    assert people.actions().count("user.signed_out") == 1


def test_a_user_sees_and_revokes_the_own_sessions_alone(
    people: People, user: User, clock: FrozenClock, opened: tuple[BrowserSession, str]
) -> None:
    stranger = people.join("bob@example.com", "Bob Ltd").user
    clock.advance(timedelta(minutes=2))
    second, second_token = people.sessions.open(user, address=CLIENT, agent="Phone")
    assert [each.id for each in people.sessions.list(user.id)] == [second.id, opened[0].id]
    assert people.sessions.list(stranger.id) == []
    with pytest.raises(SessionNotFound):
        people.sessions.revoke(stranger.id, second.id)
    people.sessions.revoke(user.id, second.id, address=CLIENT)
    assert people.sessions.visit(second_token) is None
    visit(people, opened[1])
    assert people.actions()[-1] == "session.revoked"


def test_a_user_of_many_sessions_sees_those_that_were_seen_last(
    people: People, user: User, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    opened = []
    for _ in range(3):
        clock.advance(timedelta(minutes=1))
        opened.append(people.sessions.open(user, address=CLIENT, agent=AGENT)[0].id)
    monkeypatch.setattr(session_store, "SESSIONS_LISTED", 2)
    assert [each.id for each in people.sessions.list(user.id)] == opened[:0:-1]


def test_every_other_session_can_be_ended_at_once(
    people: People, user: User, opened: tuple[BrowserSession, str]
) -> None:
    others = [people.sessions.open(user, address=CLIENT, agent=AGENT)[1] for _ in range(3)]
    assert people.sessions.revoke_others(user.id, opened[0].id) == 3
    assert [people.sessions.visit(token) for token in others] == [None] * 3
    visit(people, opened[1])
    assert people.sessions.revoke_others(user.id, opened[0].id) == 0
    assert people.actions().count("session.others_revoked") == 1


def test_a_rotation_gives_a_new_token_and_ends_the_old_one(people: People, opened: tuple[BrowserSession, str]) -> None:
    people.sessions.rotate(opened[0])
    found = visit(people, opened[1])
    assert found.token != opened[1]
    assert found.session.id == opened[0].id
    assert people.sessions.visit(opened[1]) is None
    assert visit(people, found.token).token == found.token


def test_of_two_requests_that_come_at_a_rotation_one_goes_on_and_the_other_is_nobody(
    people: People, opened: tuple[BrowserSession, str]
) -> None:
    for _ in range(5):
        session, token = people.sessions.open(_owner_of(people, opened), address=CLIENT, agent=AGENT)
        people.sessions.rotate(session)
        with ThreadPoolExecutor(4) as pool:
            found = [each for each in pool.map(people.sessions.visit, [token] * 4) if each is not None]
        assert len(found) == 1
        visit(people, found[0].token)
        assert people.sessions.visit(token) is None


def _owner_of(people: People, opened: tuple[BrowserSession, str]) -> User:
    return visit(people, opened[1]).user


def test_what_has_ended_is_swept_away_and_the_rest_stays(
    people: People, user: User, clock: FrozenClock, opened: tuple[BrowserSession, str]
) -> None:
    clock.advance(timedelta(hours=25))
    _, token = people.sessions.open(user, address=CLIENT, agent=AGENT)
    assert len(people.sessions.list(user.id)) == 1
    for _ in range(2):
        MemberHousekeeping(people.database, clock).purge()
    assert people.entries()[-1].actor.address == CLIENT
    with people.database.reading() as session:
        assert session.scalar(text("SELECT count(*) FROM browser_sessions")) == 1
    visit(people, token)


def test_network_addresses_are_forgotten_after_half_a_year_and_nothing_else_is(
    people: People, user: User, clock: FrozenClock
) -> None:
    old = people.entries()
    clock.advance(timedelta(days=181))
    people.sessions.open(user, address=CLIENT, agent=AGENT)
    MemberHousekeeping(people.database, clock).purge()
    forgotten = [replace(entry, actor=replace(entry.actor, address=None)) for entry in old]
    assert people.entries()[:-1] == forgotten
    assert people.entries()[-1].actor.address == CLIENT
