"""Operators and their passwords: nothing tells an unknown address from a wrong password, and guessing is slow."""

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from pwdlib import PasswordHash

from app.accounts import password
from app.accounts.account import User
from app.accounts.password import PasswordUnfit
from app.accounts.service import Accounts, EmailTaken
from app.accounts.user_store import find_user, insert_user
from app.clock import FrozenClock
from app.database import Database, DatabaseUnavailable
from app.errors import AppError, Invalid
from app.ids import id_bound
from app.members.sign_in import SignIn, WrongCredentials
from app.members.throttle import TooManyAttempts, client_of
from tests.builders import NOON

OPERATOR, PASSWORD = "root@example.com", "correct horse battery"
WRONG = "wrong horse battery"


@pytest.fixture
def operator(accounts: Accounts) -> User:
    return accounts.create_user(OPERATOR, PASSWORD, operator=True)


@pytest.fixture
def sign_in(database: Database) -> SignIn:
    return SignIn(database)


def refusal(sign_in: SignIn, email: str, password: str = WRONG) -> AppError:
    with pytest.raises(AppError) as caught:
        sign_in.operator(email, password)
    return caught.value


def test_a_user_is_made_at_the_instant_of_the_clock(operator: User) -> None:
    assert id_bound("user", NOON) <= operator.id < id_bound("user", NOON + timedelta(milliseconds=1))
    assert operator.created_at == NOON


def test_an_operator_signs_in_however_the_address_is_written(sign_in: SignIn, operator: User) -> None:
    assert sign_in.operator(OPERATOR, PASSWORD) == operator
    assert sign_in.operator(f" {OPERATOR.title()} ", PASSWORD) == operator


def test_every_wrong_credential_is_refused_in_the_same_words(
    accounts: Accounts, sign_in: SignIn, operator: User
) -> None:
    accounts.create_user("clerk@example.com", PASSWORD, operator=False)
    errors = [
        refusal(sign_in, OPERATOR),
        refusal(sign_in, "nobody@example.com"),
        refusal(sign_in, "clerk@example.com", PASSWORD),
        refusal(sign_in, "no address at all"),
        refusal(sign_in, "nul\x00@example.com"),
        refusal(sign_in, "", ""),
    ]
    assert {type(error) for error in errors} == {WrongCredentials}
    assert len({str(error) for error in errors}) == 1


def test_five_wrong_passwords_close_an_address_for_the_right_one_too(sign_in: SignIn, operator: User) -> None:
    for attempt in range(5):
        assert isinstance(refusal(sign_in, OPERATOR.upper() if attempt % 2 else OPERATOR), WrongCredentials)
    error = refusal(sign_in, OPERATOR, PASSWORD)
    assert isinstance(error, TooManyAttempts)
    assert error.retry_after_s == 15
    assert isinstance(refusal(sign_in, "nobody@example.com"), WrongCredentials)  # each address has its own count


def test_an_unknown_address_is_throttled_like_a_known_one(sign_in: SignIn) -> None:
    errors = [refusal(sign_in, "nobody@example.com") for _ in range(6)]
    assert [type(error) for error in errors] == [WrongCredentials] * 5 + [TooManyAttempts]


def test_addresses_that_change_are_counted_together(sign_in: SignIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "_find", lambda *_: None)  # thirty hashes would outlast the window
    errors = [refusal(sign_in, f"nobody{number}@example.com") for number in range(31)]
    assert [type(error) for error in errors] == [WrongCredentials] * 30 + [TooManyAttempts]


@pytest.mark.parametrize("comes_free", [True, False])
def test_a_third_sign_in_at_once_waits_a_moment_and_no_longer(
    sign_in: SignIn, operator: User, monkeypatch: pytest.MonkeyPatch, comes_free: bool
) -> None:
    monkeypatch.setattr("app.members.sign_in._PATIENCE_S", 10 if comes_free else 0.01)
    for _ in range(2):
        sign_in._places.acquire()
    if comes_free:
        with ThreadPoolExecutor(1) as pool:
            waits = pool.submit(sign_in.operator, OPERATOR, PASSWORD)
            sign_in._places.release()
            assert waits.result() == operator
    else:
        assert isinstance(refusal(sign_in, OPERATOR, PASSWORD), TooManyAttempts)


def test_a_crowd_is_refused_without_waiting(sign_in: SignIn, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(4):
        sign_in._waiting.acquire()
    both_check, go_on, check = threading.Barrier(3), threading.Event(), sign_in._find

    def check_slowly(email: str, password: str) -> User | None:
        both_check.wait(10)
        assert go_on.wait(10)
        return check(email, password)

    with ThreadPoolExecutor(2) as pool, monkeypatch.context() as patch:
        patch.setattr(sign_in, "_find", check_slowly)
        slow = [pool.submit(sign_in.operator, OPERATOR, PASSWORD) for _ in range(2)]
        both_check.wait(10)
        error = refusal(sign_in, OPERATOR, PASSWORD)
        go_on.set()
        assert [each.result() for each in slow] == [operator] * 2
    assert isinstance(error, TooManyAttempts)
    assert error.retry_after_s == 1
    assert sign_in.operator(OPERATOR, PASSWORD) == operator  # the places are free again


def test_an_outage_frees_the_place_that_it_took(
    sign_in: SignIn, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: str) -> User | None:
        raise DatabaseUnavailable("away")

    with monkeypatch.context() as patch:
        patch.setattr(sign_in, "_find", fail)
        assert {type(refusal(sign_in, OPERATOR, PASSWORD)) for _ in range(6)} == {DatabaseUnavailable}
    assert sign_in.operator(OPERATOR, PASSWORD) == operator


def test_a_right_password_does_not_use_the_attempts_up(sign_in: SignIn, operator: User) -> None:
    for _ in range(12):
        sign_in.operator(OPERATOR, PASSWORD)


def test_an_address_has_one_user_however_it_is_written(accounts: Accounts, sign_in: SignIn, operator: User) -> None:
    with pytest.raises(EmailTaken):
        accounts.create_user(OPERATOR.upper(), PASSWORD, operator=False)
    assert sign_in.operator(OPERATOR, PASSWORD) == operator


@pytest.mark.parametrize("email", ["", "x", "@", "a@", "@b", "a b@c", "a@b c", "a@@b", "nul\x00@example.com", "a@\x7f"])
def test_what_is_no_address_is_refused(accounts: Accounts, email: str) -> None:
    with pytest.raises(Invalid) as caught:
        accounts.create_user(email, PASSWORD, operator=True)
    assert caught.value.where == "email"
    assert not accounts.has_operator()


def test_a_short_password_is_refused(accounts: Accounts, sign_in: SignIn, operator: User) -> None:
    with pytest.raises(Invalid):
        accounts.create_user("new@example.com", "x" * 11, operator=False)
    with pytest.raises(PasswordUnfit):
        accounts.create_user("new@example.com", "x" * 257, operator=False)
    assert sign_in.operator(OPERATOR, PASSWORD) == operator


def test_passwords_are_kept_as_argon2_hashes_of_recommended_cost(
    database: Database, clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(password, "_hasher", PasswordHash.recommended())
    user = Accounts(database, clock).create_user(OPERATOR, PASSWORD, operator=True)
    with database.reading() as session:
        found = find_user(session, OPERATOR)
    assert found is not None
    assert found[0] == user
    assert str(found[1]).startswith("$argon2id$v=19$m=65536,t=3,p=4$")


def test_a_client_that_changes_addresses_is_counted_by_its_own(sign_in: SignIn, operator: User) -> None:
    def attempt(number: int, client: str) -> AppError:
        with pytest.raises(AppError) as caught:
            sign_in.user(f"nobody{number}@example.com", WRONG, address=client)
        return caught.value

    errors = [attempt(number, "192.0.2.1") for number in range(11)]
    assert [type(error) for error in errors] == [WrongCredentials] * 10 + [TooManyAttempts]
    assert isinstance(attempt(11, "192.0.2.2"), WrongCredentials)
    assert sign_in.user(OPERATOR, PASSWORD, address="192.0.2.2") == operator


def test_a_network_of_ipv6_is_one_client(sign_in: SignIn, operator: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sign_in, "_find", lambda *_: None)
    errors = []
    for number in range(11):
        with pytest.raises(AppError) as caught:
            sign_in.user(f"nobody{number}@example.com", WRONG, address=f"2001:db8:1:2:{number:x}::{number:x}")
        errors.append(type(caught.value))
    assert errors == [WrongCredentials] * 10 + [TooManyAttempts]
    with pytest.raises(WrongCredentials):
        sign_in.user("nobody@example.com", WRONG, address="2001:db8:1:3::1")


@pytest.mark.parametrize(
    ("address", "client"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("acct_1", "acct_1"),
        ("", ""),
    ],
)
def test_limits_know_an_address_by_its_network(address: str, client: str) -> None:
    assert client_of(address) == client


def test_every_user_signs_in_and_only_operators_operate(accounts: Accounts, sign_in: SignIn) -> None:
    clerk = accounts.create_user("clerk@example.com", PASSWORD, operator=False)
    assert sign_in.user("clerk@example.com", PASSWORD) == clerk
    assert isinstance(refusal(sign_in, "clerk@example.com", PASSWORD), WrongCredentials)


def test_nobody_signs_in_without_a_password_of_their_own(database: Database, sign_in: SignIn) -> None:
    person = User("user_1", "elsewhere@example.com", operator=True, created_at=NOON)
    with database.transaction() as session:
        insert_user(session, person, password_hash=None)
    for guess in ("", "none", "no such user", PASSWORD, "x" * 300):
        assert isinstance(refusal(sign_in, person.email, guess), AppError)


def test_every_refusal_costs_one_comparison_of_a_hash(
    accounts: Accounts, database: Database, sign_in: SignIn, operator: User, monkeypatch: pytest.MonkeyPatch
) -> None:
    with database.transaction() as session:
        elsewhere = User("user_1", "elsewhere@example.com", operator=False, created_at=NOON)
        insert_user(session, elsewhere, password_hash=None)
    compared, verify = [], password._hasher.verify
    password._decoy_hash()

    def count(given: str, stored: str) -> bool:
        compared.append(stored)
        return verify(given, stored)

    monkeypatch.setattr(password._hasher, "verify", count)
    for email in (OPERATOR, "nobody@example.com", "elsewhere@example.com", "no address"):
        before = len(compared)
        assert isinstance(refusal(sign_in, email), WrongCredentials)
        assert len(compared) == before + 1
    assert all(stored.startswith("$argon2id$") for stored in compared)
