"""/app/invoices: the lines with their calculation, the same as the API and the CSV file tell."""

import csv
import io
from datetime import UTC, datetime

import pytest

from app.billing.invoice import Invoice
from app.members.role import Role
from app.period import Month
from tests.api.installation import Installation, Tenant, json_of
from tests.builders import make_event, record_usage
from tests.installation_fixtures import NOON
from tests.portal.browser import text_of
from tests.portal.visitors import Member, account, member

FEBRUARY = datetime(2026, 2, 10, tzinfo=UTC)


PLAN = """
key = "since-january"
currency = "USD"
billing = "postpaid"
base_fee = "9"
[[price]]
model = "linear"
meter = "units"
scheme = "graduated"
[[price.tier]]
up_to = 10
unit_price = "0.001"
[[price.tier]]
unit_price = "0.0005"
"""


@pytest.fixture
def customer(portal: Installation) -> Member:
    """Somebody whose account was opened in January on a plan with a fee and tiers, and called a model in February."""
    portal.clock.move_to(datetime(2025, 12, 31, tzinfo=UTC))
    portal.services.plans.publish(PLAN)
    account_id = account(portal, plan="since-january", zone="Asia/Shanghai")
    portal.clock.move_to(NOON)
    person = member(portal, Role.BILLING, account_id)
    plan = portal.services.plans.in_effect(account_id, FEBRUARY)
    assert plan
    event = make_event(account_id=account_id, plan_version_id=plan.id, occurred_at=FEBRUARY, units=25)
    record_usage(portal.services.database, event)
    return person


def issued(person: Member) -> Invoice:
    """Issue the invoice of February and return it."""
    person.installation.services.invoice_run.run(Month(2026, 2), account_id=person.account_id)
    [invoice] = person.installation.services.invoices.list(person.account_id).invoices
    return invoice


async def test_an_invoice_shows_how_each_line_is_computed(customer: Member) -> None:
    invoice = issued(customer)
    page = text_of(await customer.get(f"/app/invoices/{invoice.id}"))
    assert f"Invoice {invoice.number}" in page
    assert "1–28 Feb 2026 · Asia/Shanghai" in page  # noqa: RUF001 - an en dash is meant
    assert "10 × 0.001 USD = 0.01 USD 15 × 0.0005 USD = 0.0075 USD 0.0175 USD 0.02 USD" in page  # noqa: RUF001
    assert "Base fee" in page
    assert page.count("9.02 USD") == 3  # the figure, the subtotal and the sum of the lines


async def test_the_page_the_file_and_the_api_tell_the_same_lines(portal: Installation, customer: Member) -> None:
    invoice = issued(customer)
    key = portal.services.accounts.create_key(customer.account_id)
    headers = Tenant(customer.account_id, key.key.id, key.secret).headers
    body = json_of(await portal.http.get(f"/v1/invoices/{invoice.id}", headers=headers))
    file = await customer.get(f"/app/invoices/{invoice.id}.csv")
    assert file.headers["content-disposition"] == f'attachment; filename="{invoice.number}.csv"'
    records = list(csv.DictReader(io.StringIO(file.text)))
    page = text_of(await customer.get(f"/app/invoices/{invoice.id}"))
    assert [record["amount"] for record in records] == [line["amount"] for line in body["lines"]]
    for line in body["lines"]:
        assert f"{line['exact_amount']} USD {line['amount']} USD" in page


async def test_the_list_holds_invoices_and_what_comes_next(customer: Member) -> None:
    invoice = issued(customer)
    page = await customer.get("/app/invoices")
    assert f'href="/app/invoices/{invoice.id}"' in page.text
    assert f"{invoice.number} 1–28 Feb 2026 issued 15 Mar 2026 9.02 USD" in text_of(page)  # noqa: RUF001
    assert "This period so far 1–31 Mar 2026" in text_of(page)  # noqa: RUF001 - an en dash is meant
    assert "Older invoices" not in text_of(page)


async def test_the_sum_of_an_invoices_lines_is_called_what_it_is(customer: Member) -> None:
    invoice = issued(customer)
    page = text_of(await customer.get(f"/app/invoices/{invoice.id}"))
    assert page.count("Subtotal 9.02 USD") == 2  # among the facts, and under the lines
    assert "Total 9.02 USD" not in page


async def test_a_period_that_runs_has_one_sum_that_of_now(customer: Member) -> None:
    services = customer.installation.services
    issued(customer)
    services.invoice_run.run(Month(2026, 3), account_id=customer.account_id)
    plan = services.plans.in_effect(customer.account_id, NOON)
    assert plan
    event = make_event(account_id=customer.account_id, plan_version_id=plan.id, occurred_at=NOON, units=1000)
    record_usage(services.database, event)
    for path in ("/app", "/app/invoices"):
        page = text_of(await customer.get(path))
        assert "9.50 USD" in page
        assert "Draft" not in page
        assert "9.02 USD" in page


async def test_a_draft_says_that_it_is_one(customer: Member) -> None:
    customer.installation.services.invoice_run.run(Month(2026, 3), account_id=customer.account_id)
    [draft] = customer.installation.services.invoices.list(customer.account_id).invoices
    page = text_of(await customer.get(f"/app/invoices/{draft.id}"))
    assert "Draft of an invoice" in page
    assert "A draft is computed anew" in page


async def test_older_invoices_are_a_page_further(customer: Member, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.portal.money.invoices.INVOICES_ON_A_PAGE", 1)
    run = customer.installation.services.invoice_run
    for month in (Month(2026, 1), Month(2026, 2)):
        run.run(month, account_id=customer.account_id)
    first, second = customer.installation.services.invoices.list(customer.account_id).invoices
    page = await customer.get("/app/invoices")
    assert f'href="/app/invoices?cursor={first.id}"' in page.text
    older = await customer.get(f"/app/invoices?cursor={first.id}")
    assert (f"/app/invoices/{second.id}" in older.text, f"/app/invoices/{first.id}" in older.text) == (True, False)


async def test_an_account_without_invoices_is_told_when_the_first_one_comes(portal: Installation) -> None:
    page = text_of(await member(portal).get("/app/invoices"))
    assert "No invoice yet." in page
    assert "This period so far" not in page


async def test_another_accounts_invoice_does_not_exist(portal: Installation, customer: Member) -> None:
    invoice = issued(customer)
    stranger = member(portal)
    for path in (f"/app/invoices/{invoice.id}", f"/app/invoices/{invoice.id}.csv"):
        answer = await stranger.get(path)
        assert (answer.status_code, str(invoice.number) in answer.text) == (404, False)
    assert (await stranger.get(f"/app/invoices?cursor={invoice.id}")).status_code == 422


@pytest.mark.parametrize("role", [Role.VIEWER, Role.DEVELOPER])
async def test_who_may_not_read_invoices_is_not_shown_any(portal: Installation, customer: Member, role: Role) -> None:
    invoice = issued(customer)
    person = member(portal, role, customer.account_id)
    for path in ("/app/invoices", f"/app/invoices/{invoice.id}", f"/app/invoices/{invoice.id}.csv"):
        assert (await person.get(path)).status_code == 403
    assert "USD" not in text_of(await person.get("/app"))
