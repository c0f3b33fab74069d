"""What a month's invoices would charge, and which accounts nobody can charge as things stand."""

from dataclasses import dataclass

from app.accounts.account import Account
from app.billing.account_charges import AccountCharges


@dataclass(frozen=True, slots=True)
class UncountedAccount:
    """An account whose charges cannot be computed; the invoice run fails for it in the same way."""

    account: Account
    reason: str


@dataclass(frozen=True, slots=True)
class MonthPreview:
    """Each account's charges for its period that starts in the month; who used nothing and owes nothing is left out."""

    charges: tuple[AccountCharges, ...]
    uncounted: tuple[UncountedAccount, ...]
