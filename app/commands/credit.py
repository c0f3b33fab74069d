"""`faremeter credit`: what accounts have in advance."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from app import bootstrap
from app.api.wire_credit import balance_body, grant_body, refund_body
from app.commands.output import AsJson, minute, print_json, print_table
from app.ledger.credit_grant import DEFAULT_PRIORITY, CreditExpiryPast, CreditGrant, GrantKind
from app.money import format_money, parse_nanos
from app.settings import load_settings

app = typer.Typer(help="Give accounts credit, and see what is left of it.", no_args_is_help=True)
OfAccount = Annotated[str, typer.Option("--account", help="The account's id.")]
OnceFor = Annotated[str | None, typer.Option("--once-for", help="Do it once for this id, however often it is run.")]


@app.command()
def grant(
    account: OfAccount,
    amount: Annotated[str, typer.Option(help="How much, in the account's currency, such as 10.00.")],
    promotional: Annotated[bool, typer.Option("--promotional", help="Given, not paid for.")] = False,
    priority: Annotated[int, typer.Option(help="0 to 100: the lowest is used first.")] = DEFAULT_PRIORITY,
    expires: Annotated[str | None, typer.Option(help="When it expires, such as 2027-01-31T00:00:00Z.")] = None,
    note: Annotated[str, typer.Option(help="What it is for; the customer reads it.")] = "",
    once_for: OnceFor = None,
    as_json: AsJson = False,
) -> None:
    """Give an account credit and print the id of the grant."""
    books = bootstrap.open_books(load_settings())
    made = books.credits.grant(
        account,
        amount_nanos=parse_nanos(amount),
        kind=GrantKind.PROMOTIONAL if promotional else GrantKind.PAID,
        priority=priority,
        expires_at=_instant(expires) if expires else None,
        note=note,
        creation_id=once_for,
    )
    if as_json:
        print_json(grant_body(made, books.accounts.get_account(account).currency))
    else:
        typer.echo(made.id)


@app.command()
def refund(
    grant_id: Annotated[str, typer.Argument(metavar="GRANT", help="The grant's id.")],
    amount: Annotated[str | None, typer.Option(help="How much; default: all that no running call may need.")] = None,
    once_for: OnceFor = None,
    as_json: AsJson = False,
) -> None:
    """Take paid credit back out of the books; the money itself is paid back elsewhere."""
    amount_nanos = None if amount is None else parse_nanos(amount)
    books = bootstrap.open_books(load_settings())
    account_id = books.credits.account_of(grant_id)
    refunded = books.credits.refund(account_id, grant_id, amount_nanos, creation_id=once_for)
    if as_json:
        print_json(refund_body(refunded))
    else:
        typer.echo(
            f"{format_money(refunded.amount_nanos, refunded.currency)} {refunded.currency} of {grant_id} are paid back"
        )


@app.command("list")
def list_grants(account: OfAccount, as_json: AsJson = False) -> None:
    """List an account's grants, newest first, those that are used up included."""
    books = bootstrap.open_books(load_settings())
    currency = books.accounts.get_account(account).currency
    grants = books.credits.grants(account)
    if as_json:
        print_json([grant_body(each, currency) for each in grants])
    else:
        columns = ("id", "kind", "amount", "remaining", "priority", "expires", "note")
        print_table(f"Credit in {currency}", columns, [_row(each, currency) for each in grants])


@app.command()
def balance(account: OfAccount, as_json: AsJson = False) -> None:
    """Print what an account has in advance, and how much of it running calls hold."""
    found = bootstrap.open_books(load_settings()).credits.balance(account)
    if as_json:
        print_json(balance_body(found))
    else:
        for name in ("available", "held", "total"):
            typer.echo(f"{name:9}  {balance_body(found)[name]} {found.currency}")


def _instant(text: str) -> datetime:
    """Return an instant; one without a zone is left as it is, and refused later. Raises CreditExpiryPast."""
    try:
        instant = datetime.fromisoformat(text)
        return instant.astimezone(UTC) if instant.tzinfo else instant
    except (ValueError, OverflowError):
        hint = "write e.g. 2027-01-31T00:00:00Z"
        raise CreditExpiryPast(f"{text!r} is no instant", where="expires", hint=hint) from None


def _row(grant: CreditGrant, currency: str) -> tuple[str, ...]:
    amounts = (format_money(nanos, currency) for nanos in (grant.amount_nanos, grant.remaining_nanos))
    expires = minute(grant.expires_at) if grant.expires_at else "never"
    return grant.id, grant.kind, *amounts, str(grant.priority), expires, grant.note
