"""Alerts of budgets are mailed once to those who look after the account's money."""

# ruff: noqa: RUF001 - Chinese has punctuation of its own

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import select

from app.accounts.account import Account, User
from app.accounts.budget import Measure, Window
from app.accounts.service import Accounts
from app.accounts.user_store import insert_user
from app.billing.budget_mail import BudgetMail
from app.charging.budgets import Budgets
from app.charging.gate_account import ThresholdPassed
from app.charging.hold_store import insert_alerts
from app.clock import FrozenClock
from app.database import Database
from app.ids import new_id
from app.members.member_store import insert_member
from app.members.role import Role
from app.outbox.delivery import Delivery
from app.outbox.folder import FolderDelivery
from app.outbox.mail import Mail
from app.outbox.postman import Postman
from app.outbox.tables import OutgoingMailRow


class Told:
    """An account with a member in each role, and what they are mailed."""

    def __init__(self, database: Database, clock: FrozenClock, delivery: Delivery) -> None:
        self.database = database
        self.clock = clock
        self.accounts = Accounts(database, clock)
        self.account: Account = self.accounts.create_account("Ada & <b>Sons</b> {key}")
        self.budgets = Budgets(database, clock)
        postman = Postman(database, clock, delivery, sender="Faremeter <meter@example.com>")
        self.mail = BudgetMail(database, clock, postman, public_url="https://meter.example/")
        for role in Role:
            user = User(new_id("user"), f"{role}@example.com", operator=False, created_at=clock.now())
            with database.transaction() as session:
                insert_user(session, user, password_hash=None)
                insert_member(session, self.account.id, user.id, role, clock.now())

    def set(self, key_id: str | None = None, **budget: object) -> ThresholdPassed:
        """Set a budget of which three quarters are used."""
        values = {"measure": Measure.MONEY, "window": Window.DAY, "limit_value": 10**10} | budget
        state = self.budgets.set(self.account.id, key_id=key_id, **values)  # type: ignore[arg-type]
        return ThresholdPassed(state.budget, state.window.start, 50, state.budget.limit_value * 3 // 4)

    def alert(self, passed: ThresholdPassed, *percents: int) -> None:
        with self.database.transaction() as session:
            some = [ThresholdPassed(passed.budget, passed.window_start, percent, passed.used) for percent in percents]
            insert_alerts(session, self.account.id, some, self.clock.now())

    def mails(self) -> list[Mail]:
        with self.database.reading() as session:
            rows = session.scalars(select(OutgoingMailRow).order_by(OutgoingMailRow.recipient))
            return [Mail(row.id, row.recipient, row.subject, row.text, row.html, row.created_at) for row in rows]


@pytest.fixture
def told(database: Database, clock: FrozenClock, tmp_path_factory: pytest.TempPathFactory) -> Told:
    return Told(database, clock, FolderDelivery(tmp_path_factory.mktemp("mail")))


def test_owners_and_billing_members_are_mailed_once(told: Told) -> None:
    told.alert(told.set(), 50)
    assert [told.mail.send(), told.mail.send()] == [2, 0]
    mails = told.mails()
    assert [mail.to for mail in mails] == ["billing@example.com", "owner@example.com"]
    for mail in mails:
        assert mail.subject == "50% of a budget is used · 预算已使用 50%"
        assert "The limit is 10.00 USD a day; 7.50 USD are used." in mail.text
        assert "限额：每天 10.00 USD；已使用 7.50 USD。" in mail.text
        assert "Calls beyond the limit are refused." in mail.text
        assert mail.text.count("\nhttps://meter.example/app\n") == 2
        assert mail.html.count('<a href="https://meter.example/app">') == 2


def test_names_are_text_and_never_markup_or_a_format(told: Told) -> None:
    key = told.accounts.create_key(told.account.id, name="<i>{limit}</i>").key
    told.alert(told.set(key.id, measure=Measure.UNITS, window=Window.TOTAL, limit_value=8, hard=False), 50)
    told.mail.send()
    mail = told.mails()[0]
    assert "The key “<i>{limit}</i>” of the account “Ada & <b>Sons</b> {key}” has used 50% of its budget" in mail.text
    assert "The limit is 8 units in all; 6 units are used." in mail.text
    assert "Calls beyond the limit are not refused: this budget only tells." in mail.text
    assert "&lt;i&gt;{limit}&lt;/i&gt;" in mail.html
    assert "<b>" not in mail.html
    assert "<i>" not in mail.html


def test_of_thresholds_that_were_passed_together_the_highest_is_told(told: Told) -> None:
    first, second = told.set(), told.set(measure=Measure.UNITS, limit_value=100)
    told.alert(first, 50, 75, 60)
    told.alert(second, 70)
    assert told.mail.send() == 4
    assert sorted({mail.subject[:4] for mail in told.mails()}) == ["70% ", "75% "]
    told.alert(first, 50, 60, 75)  # told already, in this window
    assert told.mail.send() == 0
    told.alert(first, 90)
    assert told.mail.send() == 2


def test_of_a_budget_that_was_removed_since_nobody_is_told(told: Told) -> None:
    passed = told.set()
    told.alert(passed, 50)
    told.budgets.remove(passed.budget.id)
    assert [told.mail.send(), told.mail.send()] == [0, 0]
    assert told.mails() == []


def test_an_account_without_members_keeps_nobody_else_waiting(told: Told) -> None:
    passed = told.set()
    lonely = told.accounts.create_account("Lonely")
    state = told.budgets.set(lonely.id, measure=Measure.UNITS, window=Window.DAY, limit_value=1)
    with told.database.transaction() as session:
        some = ThresholdPassed(state.budget, state.window.start, 100, 1)
        insert_alerts(session, lonely.id, [some], told.clock.now())
    told.alert(passed, 50)
    assert [told.mail.send(), told.mail.send()] == [2, 0]


def test_two_that_mail_at_once_mail_each_alert_once(told: Told) -> None:
    for measure in Measure:
        for window in Window:
            told.alert(told.set(measure=measure, window=window, limit_value=10**9), 50)
    with ThreadPoolExecutor(4) as threads:
        sent = list(threads.map(lambda _: told.mail.send(), range(4)))
    assert sum(sent) == len(told.mails()) == 12
