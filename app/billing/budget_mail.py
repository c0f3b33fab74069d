"""Alerts of budgets become mails to those who look after an account's money. May run twice, and at once."""

from collections.abc import Iterator, Sequence
from datetime import datetime

from app.accounts.account import Account
from app.accounts.budget import Budget
from app.accounts.budget_store import budgets_of
from app.accounts.store import find_accounts, find_keys
from app.billing.budget_mail_text import write_budget_mail
from app.charging.alert_store import lock_unmailed, mark_mailed
from app.charging.budget_alert import BudgetAlert
from app.clock import Clock
from app.database import Database, Session
from app.ids import new_id
from app.members.mail_text import MailText
from app.members.member_store import list_members
from app.members.role import Permission, permissions_of
from app.outbox.mail import Mail
from app.outbox.postman import Postman
from app.outbox.store import enqueue

_ALERTS_AT_ONCE = 100


class BudgetMail:
    """Tells the owners and billing members of accounts that a budget has reached a threshold."""

    def __init__(self, database: Database, clock: Clock, postman: Postman, *, public_url: str) -> None:
        self._database = database
        self._clock = clock
        self._postman = postman
        self._url = f"{public_url.rstrip('/')}/app"

    def send(self) -> int:
        """Mail each alert that nobody was mailed, once; return how many mails wait for the postman now.

        Of thresholds of one budget that were passed together only the highest is told.
        """
        mails = 0
        while True:
            now = self._clock.now()
            with self._database.transaction() as session:
                alerts = lock_unmailed(session, _ALERTS_AT_ONCE)
                if not alerts:
                    break
                mails += self._mail(session, _highest(alerts), now)
                mark_mailed(session, [alert.id for alert in alerts], now)
        if mails:
            self._postman.wake()
        return mails

    def _mail(self, session: Session, alerts: Sequence[BudgetAlert], now: datetime) -> int:
        account_ids = {alert.account_id for alert in alerts}
        accounts = find_accounts(session, account_ids)
        budgets = {budget.id: budget for some in budgets_of(session, account_ids).values() for budget in some}
        mails = 0
        for alert in alerts:
            budget = budgets.get(alert.budget_id)
            if budget is None:
                continue  # it was removed since: nobody needs to know any more
            words = self._words(session, alert, budget, accounts[alert.account_id])
            for address in _addresses(session, alert.account_id):
                enqueue(session, Mail(new_id("mail"), address, words.subject, words.text, words.html, now))
                mails += 1
        return mails

    def _words(self, session: Session, alert: BudgetAlert, budget: Budget, account: Account) -> MailText:
        keys = find_keys(session, account.id, [alert.key_id]) if alert.key_id else {}
        return write_budget_mail(
            alert,
            budget,
            account_name=account.name,
            key_name=keys[alert.key_id].name if alert.key_id else None,
            currency=account.currency,
            url=self._url,
        )


def _highest(alerts: Sequence[BudgetAlert]) -> list[BudgetAlert]:
    """Return the alert of the highest threshold of each budget and window."""
    by_percent = sorted(alerts, key=lambda alert: (alert.percent, alert.id))
    return list({(alert.budget_id, alert.window_start): alert for alert in by_percent}.values())


def _addresses(session: Session, account_id: str) -> Iterator[str]:
    for member in list_members(session, account_id):
        if Permission.BILLING_READ in permissions_of(member.role):
            yield member.user.email
