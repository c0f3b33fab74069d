"""A real installation that browsers look at: `faremeter serve` as a process, an account, and a person for each role."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Any

import httpx

from app.accounts.account import Account, ApiKey, User
from app.accounts.budget import Measure, Window
from app.accounts.rate_limits import RateLimits
from app.audit_log.actor import INSTALLATION
from app.bootstrap import Books
from app.ledger.credit_grant import GrantKind
from app.members.link_mail import make_link
from app.members.link_store import insert_link
from app.members.mailed_link import LinkPurpose
from app.members.role import Role
from app.members.token import digest_of, new_token
from app.money import NANOS_PER_UNIT
from app.period import Month
from app.pricing.open_account import open_account
from tests.api.models import save_digits
from tests.browser.history import account_with_past
from tests.browser.look import Person
from tests.scenarios.server_process import ServerProcess, books_on
from tests.schema import migrate

PASSWORD = "correct horse battery staple"
_MODELS = 2  # `linear` and `vgg16-digits`; `vgg16` has no weights here
_SESSION_COOKIE = "faremeter_session"


@dataclass(frozen=True, slots=True)
class Installation:
    """What runs, the books behind it, and who there is."""

    url: str
    folder: Path  # of its data
    books: Books
    account: Account
    ids: dict[str, str]  # what stands in the paths of pages
    _people: dict[Person, User] = field(default_factory=dict)

    def user(self, person: Person) -> User:
        """Return the user, made at first use; each role is a member of the one account, the operator of none."""
        if person not in self._people:
            self._people[person] = self._new_user(person)
        return self._people[person]

    def cookies_of(self, person: Person) -> dict[str, str]:
        """Return what a browser holds in which the person has signed in; a stranger's holds nothing."""
        if person is Person.STRANGER:
            return {}
        return self._signed_in(self.user(person))

    def new_owner(self) -> tuple[Account, dict[str, str]]:
        """Return a new account, and what the browser of its owner holds: for a test that counts what it used."""
        books = self.books
        account = open_account(
            books.database, books.clock, "Umbrella", currency="USD", zone="UTC", anchor_day=1, plan_key="payg"
        )
        user = books.accounts.create_user(f"{account.id}@example.com", PASSWORD, operator=False)
        books.members.add(account.id, user.email, Role.OWNER)
        return account, self._signed_in(user)

    def _signed_in(self, user: User) -> dict[str, str]:
        _, token = self.books.sessions.open(user, address=None, agent="test")
        return {_SESSION_COOKIE: token}

    def link_token(self, purpose: LinkPurpose, person: Person) -> str:
        """Store a link that nobody has followed; return its token, as the mail to the person would carry it."""
        token, now = new_token(), self.books.clock.now()
        user = self.user(Person.OWNER if person is Person.STRANGER else person)
        email = user.email if purpose is LinkPurpose.RESET else f"{token[:8].lower()}@example.com"
        named: dict[str, Any] = {"account_name": "Globex"} if purpose is LinkPurpose.SIGN_UP else {"user_id": user.id}
        link = make_link(purpose, email, now, language="en", **named)
        with self.books.database.transaction() as session:
            insert_link(session, link, digest=digest_of(token))
        return token

    def _new_user(self, person: Person) -> User:
        operator = person is Person.OPERATOR
        user = self.books.accounts.create_user(f"{person}@example.com", PASSWORD, operator=operator)
        if not operator:
            self.books.members.add(self.account.id, user.email, Role(person))
        return user


@contextmanager
def running_installation(folder: Path) -> Iterator[Installation]:
    """Start an installation whose data lies in the folder, and end it."""
    database_url = f"sqlite:///{folder / 'faremeter.db'}"
    migrate(database_url)
    save_digits(folder)
    books = books_on(database_url, folder)
    account = account_with_past(books)
    server = ServerProcess(database_url, folder)
    server.environment |= {"FAREMETER_PUBLIC_URL": server.url, "FAREMETER_DEFAULT_PLAN": "payg"}
    with server:
        _wait_for_models(server.url)
        books.members.invite(account.id, "colleague@example.com", Role.DEVELOPER, by=INSTALLATION, language="en")
        yield Installation(server.url, folder, books, account, _ids_of(books, account, server.url))
    books.database.dispose()


def _wait_for_models(url: str) -> None:
    """Return once every model with weights answers."""
    while httpx.get(f"{url}/readyz", timeout=10).json()["versions_ready"] < _MODELS:
        time.sleep(0.05)  # a real loader tells nobody; the test's own timeout ends this


def _ids_of(books: Books, account: Account, url: str) -> dict[str, str]:
    """Let the account make paid calls today, and draft their invoice; return the ids of what there is."""
    new_key = books.accounts.create_key(account.id, name="Website")
    headers = {"Authorization": f"Bearer {new_key.secret}"}
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        for count in (1, 2, 3):
            client.post("/v1/models/linear/predict", json={"inputs": [[0.04] * 10] * count}).raise_for_status()
    _bound(books, account, new_key.key)
    now = books.clock.now()
    books.invoice_run.run(Month(now.year, now.month), account.id)
    invoice = books.invoices.list(account.id).invoices[-1]
    return {
        "account_id": account.id,
        "plan_key": "payg",
        "key_id": new_key.key.id,
        "invoice_id": invoice.id,
        "model": "linear",
    }


def _bound(books: Books, account: Account, key: ApiKey) -> None:
    """Give the account credit, budgets that are far and near, one that was passed, and limits."""
    expires_at = books.clock.now() + timedelta(days=30)
    books.credits.grant(account.id, amount_nanos=25 * NANOS_PER_UNIT, note="Order 17")
    books.credits.grant(
        account.id, amount_nanos=5 * NANOS_PER_UNIT, kind=GrantKind.PROMOTIONAL, priority=10, expires_at=expires_at
    )
    budgets = books.budgets
    budgets.set(account.id, measure=Measure.MONEY, window=Window.MONTH, limit_value=100 * NANOS_PER_UNIT)
    budgets.set(account.id, key_id=key.id, measure=Measure.UNITS, window=Window.DAY, limit_value=10_000)
    budgets.set(account.id, key_id=key.id, measure=Measure.UNITS, window=Window.TOTAL, limit_value=5, hard=False)
    books.limits.set_of_key(account.id, key.id, RateLimits(requests_per_minute=600, concurrency_max=8))
    books.limits.set_of_account(account.id, RateLimits(units_per_minute=1_000_000))
