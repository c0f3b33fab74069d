"""The answers about credit, field by field: what /openapi.json tells of them. Amounts are decimal strings."""

from typing import Annotated

from pydantic import Field
from typing_extensions import TypedDict

from app.ledger.credit_grant import GrantKind
from app.ledger.journal_entry import SourceKind

Currency = Annotated[str, Field(description="ISO 4217 code of the account's currency", examples=["USD"])]


class BalanceFields(TypedDict):
    """What an account has in advance at an instant; zeros where it never had any."""

    currency: Currency
    available: Annotated[str, Field(description="what further calls may take: total less held", examples=["9.50"])]
    held: Annotated[str, Field(description="what running calls have set aside at most", examples=["0.50"])]
    total: Annotated[str, Field(description="what is left of all grants that are valid now", examples=["10.00"])]
    as_of: Annotated[str, Field(description="the instant of the balance, RFC 3339 in UTC")]


class GrantFields(TypedDict):
    """Credit that was bought or given, and what became of it: amount = remaining + used + refunded + expired."""

    id: Annotated[str, Field(examples=["grant_019a2f4c8d2a7b3e9f10aabbccddeeff"])]
    kind: Annotated[GrantKind, Field(description="`paid` was bought and may be refunded, `promotional` was given")]
    currency: Currency
    amount: Annotated[str, Field(description="how much was granted", examples=["10.00"])]
    remaining: Annotated[str, Field(description="what is left, held by running calls or not", examples=["8.50"])]
    used: Annotated[str, Field(description="what calls have drawn", examples=["1.50"])]
    refunded: Annotated[str, Field(description="what was paid back", examples=["0.00"])]
    expired: Annotated[str, Field(description="what was written off after it expired", examples=["0.00"])]
    priority: Annotated[int, Field(description="0 to 100: of several grants the lowest is drawn first")]
    expires_at: Annotated[str | None, Field(description="from then on no call is admitted by it; null: never")]
    note: Annotated[str, Field(description="what the operator wrote to the customer", examples=["Order 7"])]
    created_at: str


class RefundFields(TypedDict):
    """Credit that was paid back. The money itself moves outside of Faremeter."""

    id: Annotated[str, Field(description="of its journal entry")]
    grant: Annotated[str, Field(description="the grant that it was taken off")]
    currency: Currency
    amount: Annotated[str, Field(examples=["4.00"])]
    refunded_at: str


class MovementFields(TypedDict):
    """What came or went, and the balance after it. All calls of a quarter of an hour are one movement."""

    id: Annotated[str, Field(description="of its journal entry: the cursor of this list")]
    kind: Annotated[SourceKind, Field(description="what moved the balance")]
    grant: Annotated[str | None, Field(description="the grant; null for calls, which may draw on several")]
    currency: Currency
    amount: Annotated[str, Field(description="above zero where credit came, below where it went", examples=["-0.42"])]
    balance: Annotated[str, Field(description="what was left of all grants after it", examples=["9.58"])]
    occurred_at: Annotated[str, Field(description="when; of calls, when their quarter of an hour began")]
    period_start: Annotated[str | None, Field(description="of calls: when their quarter of an hour began")]
    period_end: Annotated[str | None, Field(description="of calls: when it ends, and the sum grows no more")]
