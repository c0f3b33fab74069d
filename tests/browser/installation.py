"""A real installation that browsers look at: `faremeter serve` as a process, an account, and a person for each role."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from app.accounts.account import Account, User
from app.audit_log.actor import INSTALLATION
from app.bootstrap import Books
from app.members.role import Role
from app.period import Month
from app.pricing.open_account import open_account
from tests.architecture.source_tree import ROOT
from tests.browser.look import Person
from tests.scenarios.server_process import ServerProcess, books_on
from tests.schema import migrate

PASSWORD = "correct horse battery staple"
_SESSION_COOKIE = "faremeter_session"


@dataclass(frozen=True, slots=True)
class Installation:
    """What runs, the books behind it, and who there is."""

    url: str
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
        _, token = self.books.sessions.open(self.user(person), address=None, agent="test")
        return {_SESSION_COOKIE: token}

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
    books = books_on(database_url, folder)
    plan = books.plans.publish((ROOT / "plans" / "payg.toml").read_text(), by=INSTALLATION)
    account = open_account(
        books.database, books.clock, "Acme", currency="USD", zone="UTC", anchor_day=1, plan_key=plan.plan_key
    )
    server = ServerProcess(database_url, folder)
    server.environment |= {"FAREMETER_PUBLIC_URL": server.url, "FAREMETER_DEFAULT_PLAN": plan.plan_key}
    with server:
        yield Installation(server.url, books, account, _first_month(books, account, server.url))
    books.database.dispose()


def _first_month(books: Books, account: Account, url: str) -> dict[str, str]:
    """Let the account make paid calls and get the draft of an invoice for them; return the ids of what there is."""
    new_key = books.accounts.create_key(account.id, name="Production")
    headers = {"Authorization": f"Bearer {new_key.secret}"}
    with httpx.Client(base_url=url, headers=headers, timeout=60, trust_env=False) as client:
        for count in (1, 2, 3):
            client.post("/v1/models/linear/predict", json={"inputs": [[0.04] * 10] * count}).raise_for_status()
    now = books.clock.now()
    books.invoice_run.run(Month(now.year, now.month), account.id)
    (invoice,) = books.invoices.list(account.id).invoices
    plan = books.plans.list()[0]
    return {"account_id": account.id, "plan_key": plan.plan_key, "key_id": new_key.key.id, "invoice_id": invoice.id}
