"""The checks of the ledger: entries balance, grants are their postings, and revenue is the rating of usage."""

from datetime import datetime

from app.accounts.budget import Window, window_at
from app.accounts.store import find_account
from app.billing.assemble import credit_lines
from app.billing.store import read_usage
from app.database import Session
from app.pricing.plan import Billing
from app.pricing.store import find_versions
from app.self_audit import ledger_store
from app.self_audit.report import Tally
from app.self_audit.usage_store import plan_versions_of_usage


def entries_balance(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Compare each journal entry's sum with zero; one without postings says nothing, which no entry does."""
    for entry_id, postings, nanos in ledger_store.entry_sums(session):
        tally.compare(entry_id, "postings that sum to 0", _entry_as_found(postings, nanos))


def grants_are_postings(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Compare what each grant says of itself with its postings."""
    for grant in ledger_store.grant_sums(session):
        for name, posted_nanos in grant.postings.items():
            tally.compare(f"{grant.id}, {name}", posted_nanos, grant.row[name])


def revenue_is_rated(session: Session, tally: Tally, _as_of: datetime) -> None:
    """Rate each account's prepaid usage of each billing period as a whole, and compare it with what calls drew."""
    versions = find_versions(session, plan_versions_of_usage(session))
    prepaid = [version.id for version in versions.values() if version.billing is Billing.PREPAID]
    for account_id, (first, last) in sorted(ledger_store.accounts_with_prepaid_usage(session, prepaid).items()):
        account = find_account(session, account_id)
        if account is None:
            tally.differ(account_id, "an account", "none of that id")
            continue
        period = window_at(Window.MONTH, first, account)
        while period.start <= last:
            rated = sum(line.exact_nanos for line in credit_lines(read_usage(session, account_id, period), period))
            drawn = ledger_store.revenue_nanos(session, account_id, period)
            tally.compare(f"{account_id}, period from {period.start}", rated, drawn)
            period = window_at(Window.MONTH, period.end, account)


def _entry_as_found(postings: int, nanos: int) -> str:
    return f"postings that sum to {nanos}" if postings else "no postings"
