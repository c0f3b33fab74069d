"""The answers about budgets, field by field: what /openapi.json tells of them."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from app.accounts.budget import Measure, Window

_VALUE = "of money a decimal string in the currency, of units a whole number"
Value = Annotated[str | int, Field(description=_VALUE, examples=["10.00", 1000])]
KeyOfBudget = Annotated[str | None, Field(description="the first key of those that it bounds; null: the account")]
CurrencyOfMoney = Annotated[str | None, Field(description="of money its currency; null for units", examples=["USD"])]


class BudgetFields(TypedDict):
    """A bound of what an account, or a key with its successors, may spend or use in a window."""

    id: Annotated[str, Field(examples=["bud_019a2f4c8d2a7b3e9f10aabbccddeeff"])]
    key: KeyOfBudget
    measure: Annotated[Measure, Field(description="`money` in the account's currency, or `units`: a quota")]
    window: Annotated[
        Window, Field(description="`day`: a local day, `month`: a billing period, `total`: for ever, without reset")
    ]
    limit: Annotated[str | int, Field(description=f"the bound: {_VALUE}", examples=["10.00", 1000])]
    currency: CurrencyOfMoney
    hard: Annotated[bool, Field(description="true refuses the call that would exceed it (402), false only tells")]
    thresholds: Annotated[list[int], Field(description="percents of the limit at which people are told")]
    created_at: str


class BudgetStateFields(BudgetFields):
    """A budget, and where it stands now."""

    used: Annotated[str | int, Field(description=f"what calls of this window came to: {_VALUE}", examples=["8.20", 82])]
    held: Annotated[str | int, Field(description=f"what running calls have set aside: {_VALUE}", examples=["0.10", 1])]
    reset_at: Annotated[str | None, Field(description="when the window starts anew; null: never")]


class AlertFields(TypedDict):
    """A threshold that a budget has passed: each is told once a window."""

    id: Annotated[str, Field(description="the cursor of this list")]
    budget: Annotated[str, Field(description="the budget's id")]
    key: KeyOfBudget
    measure: Measure
    window: Window
    window_start: Annotated[str | None, Field(description="of the window in which it was passed; null for `total`")]
    percent: Annotated[int, Field(description="the threshold, in percent of the limit", examples=[80])]
    limit: Annotated[str | int, Field(description=f"the limit at that moment: {_VALUE}", examples=["10.00", 1000])]
    used: Annotated[str | int, Field(description=f"what was used at that moment: {_VALUE}", examples=["8.20", 820])]
    currency: CurrencyOfMoney
    created_at: Annotated[str, Field(description="when it was noticed")]
