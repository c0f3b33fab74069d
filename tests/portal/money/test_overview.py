"""/app: how an account stands, at a glance, and what a new one does first."""

from datetime import timedelta

from app.audit_log.actor import INSTALLATION
from app.members.role import Role
from tests.api.installation import Installation
from tests.builders import make_event, record_usage
from tests.installation_fixtures import NOON
from tests.portal.browser import text_of
from tests.portal.visitors import account, member

CREDIT_PLAN = """
key = "credit-on-pages"
currency = "USD"
billing = "prepaid"
base_fee = "0"
[[price]]
model = "linear"
meter = "results"
scheme = "per_unit"
unit_price = "0.000000002"
[price.when]
field = "progression"
min = "150"
"""


async def test_a_new_account_is_shown_its_first_steps(portal: Installation) -> None:
    person = member(portal)
    page = await person.get("/app")
    assert "Next steps Create a key Your program sends it with every call." in text_of(page)
    portal.services.accounts.create_key(person.account_id)
    assert "Create a key (done)" in text_of(await person.get("/app"))


async def test_the_first_call_ends_the_first_steps(portal: Installation) -> None:
    person = member(portal)
    key = portal.services.accounts.create_key(person.account_id).key
    plan = portal.services.plans.in_effect(person.account_id, NOON)
    assert plan
    for occurred_at, units in ((NOON, 30_000), (NOON - timedelta(days=3), 20_000), (NOON - timedelta(days=30), 7)):
        event = make_event(
            account_id=person.account_id,
            key_id=key.id,
            plan_version_id=plan.id,
            occurred_at=occurred_at,
            units=units,
        )
        record_usage(portal.services.database, event)
    page = text_of(await person.get("/app"))
    assert "Next steps" not in page
    assert "Charges this period 0.50 USD 1–31 Mar 2026" in page  # noqa: RUF001 - an en dash is meant
    assert "Requests today 1 0 failed" in page
    assert "Requests this month 2 0 failed" in page
    assert "Keys that work 1 last used 15 Mar 2026, 12:00:00" in page


async def test_what_was_paid_from_credit_stands_apart_from_what_is_owed(portal: Installation) -> None:
    portal.services.plans.publish(CREDIT_PLAN)
    person = member(portal, account_id=account(portal, plan="credit-on-pages"))
    plan = portal.services.plans.in_effect(person.account_id, NOON)
    assert plan
    event = make_event(account_id=person.account_id, plan_version_id=plan.id, occurred_at=NOON, units=20, results=3)
    record_usage(portal.services.database, event)
    page = text_of(await person.get("/app"))
    assert "Prepaid: calls are paid from credit." in page
    assert "Owed for this period 0.00 USD 0.000000006 USD paid from credit" in page
    invoices = text_of(await person.get("/app/invoices"))
    assert "Paid from credit in this period" in invoices
    assert "3 results" in invoices
    assert "3 × 0.000000002 USD = 0.000000006 USD" in invoices  # noqa: RUF001 - a multiplication sign is meant
    assert "This period so far" not in invoices


async def test_an_account_whose_used_key_was_revoked_is_not_new(portal: Installation) -> None:
    person = member(portal)
    key = portal.services.accounts.create_key(person.account_id).key
    plan = portal.services.plans.in_effect(person.account_id, NOON)
    assert plan
    event = make_event(account_id=person.account_id, key_id=key.id, plan_version_id=plan.id, occurred_at=NOON)
    record_usage(portal.services.database, event)
    portal.services.accounts.revoke_key(person.account_id, key.id)
    page = text_of(await person.get("/app"))
    assert "Next steps" not in page
    assert "Keys that work 0" in page
    assert "never used" not in page


async def test_the_key_of_the_playground_is_no_key_that_the_account_has_made(portal: Installation) -> None:
    person = member(portal)
    portal.services.accounts.playground_key(person.account_id, live=False, by=INSTALLATION)
    page = text_of(await person.get("/app"))
    assert "Keys that work 0" in page
    assert "Create a key (done)" not in page


async def test_who_may_not_read_invoices_sees_no_charges(portal: Installation) -> None:
    page = text_of(await member(portal, Role.DEVELOPER).get("/app"))
    assert "Charges" not in page
    assert "Requests today" in page


async def test_a_viewer_is_not_asked_to_do_what_the_role_does_not_include(portal: Installation) -> None:
    page = await member(portal, Role.VIEWER).get("/app")
    assert "Invite the others" not in text_of(page)
    for path in ("/app/keys/new", "/app/playground"):
        assert f'href="{path}"' not in page.text


async def test_an_account_without_a_plan_is_told_so(portal: Installation) -> None:
    person = member(portal, account_id=account(portal, plan=None))
    assert "This account has no plan, so its calls are refused." in text_of(await person.get("/app"))
