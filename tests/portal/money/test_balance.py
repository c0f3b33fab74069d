"""/app/balance: what is there in advance, where it comes from, and what came and went."""

import csv
import io
from datetime import timedelta

import httpx
import pytest

from app.charging.credit_balance import Balance
from app.ledger.credit_grant import CreditGrant, GrantKind
from app.ledger.credit_history import CreditMovement
from app.members.role import Role
from app.money import NANOS_PER_UNIT, format_money
from app.portal.money import balance as balance_page
from tests.api.installation import ROW, Installation
from tests.installation_fixtures import NOON
from tests.portal.browser import text_of
from tests.portal.prepaid import prepaid_member
from tests.portal.visitors import Member, member


async def call(person: Member, rows: int = 1) -> int:
    """Call the model with a key of the person's account; return the status."""
    portal = person.installation
    answer = await portal.predict(portal.another_key(person.account_id), [ROW] * rows)
    return int(answer.status_code)


async def test_an_account_that_pays_by_invoice_has_no_room_for_a_balance(portal: Installation) -> None:
    person = member(portal)
    assert "/app/balance" not in (await person.get("/app")).text
    assert "This account has no credit, and needs none." in text_of(await person.get("/app/balance"))
    portal.services.credits.grant(person.account_id, amount_nanos=NANOS_PER_UNIT)
    assert "/app/balance" in (await person.get("/app")).text
    assert "Your plan now is paid by invoice" in text_of(await person.get("/app/balance"))


async def test_balance_grants_and_history_show_what_a_call_took(portal: Installation) -> None:
    person = prepaid_member(portal, "10.00")
    assert await call(person, 3) == 200
    page = text_of(await person.get("/app/balance"))
    assert "Available 9.97 USD" in page
    assert "Held 0.00 USD" in page
    assert "paid valid 9.97 USD 10.00 USD never 50 Order 17" in page
    assert "15 Mar 2026 12:00\u201312:15 Calls of a quarter of an hour -0.03 USD 9.97 USD" in page
    assert "Credit granted +10.00 USD 10.00 USD" in page
    assert "The balance is low" not in page


async def test_a_balance_that_is_low_or_gone_says_so(portal: Installation) -> None:
    person = prepaid_member(portal, "0.10")
    assert await call(person, 9) == 200
    assert "The balance is low" in text_of(await person.get("/app/balance"))
    assert await call(person) == 200
    assert await call(person) == 402
    gone = text_of(await person.get("/app/balance"))
    assert "Nothing is available: live calls that cost anything are refused." in gone
    assert "used up 0.00 USD 0.10 USD" in gone
    assert "The balance is used up" in text_of(await person.get("/app"))


async def test_the_history_is_paged_and_its_file_holds_all_of_it(
    portal: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = prepaid_member(portal)
    for units in (1, 2, 3):
        portal.services.credits.grant(person.account_id, amount_nanos=units * NANOS_PER_UNIT)
    monkeypatch.setattr(balance_page, "MOVEMENTS_ON_A_PAGE", 2)
    monkeypatch.setattr(balance_page, "_AT_ONCE", 2)
    history = portal.services.credits.history(person.account_id)  # all of one instant, in an order of its own
    newest = await person.get("/app/balance")
    older = newest.text.split("/app/balance?before=")[1].split('"')[0]
    for page, shown, hidden in ((newest, history[:2], history[2:]), (await older_page(person, older), history[2:], ())):
        for each in shown:
            assert movement_words(each) in text_of(page)
        assert not [each for each in hidden if movement_words(each) in text_of(page)]
    answer = await person.get("/app/balance.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="balance.csv"'
    rows = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [(row["id"], row["kind"], row["came"], row["went"], row["balance"]) for row in rows] == [
        (each.id, "grant", dollars(each.amount_nanos), "0.00", dollars(each.balance_nanos)) for each in history
    ]
    assert len(rows) == 3


async def older_page(person: Member, before: str) -> httpx.Response:
    return await person.get(f"/app/balance?before={before}")


def dollars(nanos: int) -> str:
    return format_money(nanos, "USD")


def movement_words(movement: CreditMovement) -> str:
    return f"Credit granted +{dollars(movement.amount_nanos)} USD {dollars(movement.balance_nanos)} USD"


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER])
async def test_who_may_not_read_invoices_sees_no_balance(portal: Installation, role: Role) -> None:
    person = prepaid_member(portal, "12.34", role)
    for path in ("/app", "/app/keys", "/app/budgets"):
        page = await person.get(path)
        assert "12.34" not in page.text
        assert "/app/balance" not in page.text
    assert (await person.get("/app/balance.csv")).status_code == 403


@pytest.mark.parametrize(("available", "low"), [(0, True), (1, True), (10, True), (11, False), (100, False)])
def test_low_is_a_tenth_of_what_has_not_expired(available: int, *, low: bool) -> None:
    def grant(remaining: int, expires_in_s: int) -> CreditGrant:
        return CreditGrant(
            id=f"grant_{remaining}",
            account_id="acct_1",
            kind=GrantKind.PAID,
            amount_nanos=100,
            remaining_nanos=remaining,
            refunded_nanos=0,
            expired_nanos=0,
            priority=50,
            expires_at=NOON + timedelta(seconds=expires_in_s),
            note="",
            created_at=NOON,
        )

    balance = Balance(currency="USD", available_nanos=available, held_nanos=0, total_nanos=available, as_of=NOON)
    assert balance_page.is_low(balance, [grant(50, 1), grant(0, 1), grant(50, 0)], NOON) is low
