"""Who enters the operator's rooms, and what they show: one test a room, forms have files of their own."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from itertools import count

import httpx
import pytest

from app.inference.engine import VersionStatus
from app.members.role import Role
from tests.api.installation import OPERATOR, ROW, Installation
from tests.builders import make_event, record_usage
from tests.installation_fixtures import NOON
from tests.portal import visitors
from tests.portal.browser import Browser, text_of

ROOMS = [
    "/operator",
    "/operator/accounts",
    "/operator/accounts/new",
    "/operator/plans",
    "/operator/plans/payg",
    "/operator/invoice-runs",
    "/operator/models",
    "/operator/mail",
    "/operator/audit-log",
]


_minutes = count(1)


@contextmanager
def minutes_later(portal: Installation) -> Iterator[None]:
    """Let so much time pass that earnings are computed anew."""
    portal.clock.move_to(NOON + timedelta(minutes=next(_minutes)))
    yield
    portal.clock.move_to(NOON)


@pytest.mark.parametrize("path", ROOMS)
async def test_the_operator_sees_a_room_and_an_owner_of_an_account_does_not(portal: Installation, path: str) -> None:
    assert (await visitors.operator(portal).get(path)).status_code == 200
    refused = await visitors.member(portal, Role.OWNER).get(path)
    assert refused.status_code == 403
    assert "This page is for operators." in text_of(refused)
    anonymous = await Browser(portal).get(path)
    assert (anonymous.status_code, anonymous.headers["location"]) == (303, f"/login?next={path}")


async def test_earnings_show_what_a_model_earned_to_the_nano_and_lead_to_the_month_before(portal: Installation) -> None:
    tenant = portal.tenant()
    assert (await portal.predict(tenant, [ROW] * 7)).status_code == 200
    with minutes_later(portal):
        page = await visitors.operator(portal).get("/operator")
    (line,) = [
        line for line in portal.services.margins.report().models if (line.model, line.currency) == ("linear", "USD")
    ]
    assert f"linear {line.calls} " in text_of(page)
    assert "In USD" in text_of(page)
    assert 'href="/operator?month=2026-02"' in page.text
    assert "/operator?month=2026-04" not in page.text
    before = await visitors.operator(portal).get("/operator?month=2026-02")
    assert 'href="/operator?month=2026-03"' in before.text


async def test_an_account_that_cannot_be_charged_is_a_line_among_the_earnings_and_its_page_opens(
    portal: Installation,
) -> None:
    tenant = portal.tenant()
    plan = portal.services.plans.in_effect(tenant.account_id, portal.clock.now())
    assert plan
    unpriced = make_event(
        account_id=tenant.account_id,
        key_id=tenant.key_id,
        model="sold-to-nobody",
        plan_version_id=plan.id,
        occurred_at=portal.clock.now(),
    )
    record_usage(portal.services.database, unpriced)
    operator = visitors.operator(portal)
    with minutes_later(portal):
        page = await operator.get("/operator")
    assert page.status_code == 200
    assert "The charges of some accounts cannot be computed." in text_of(page)
    assert f'href="/operator/accounts/{tenant.account_id}"' in page.text
    account = await operator.get(f"/operator/accounts/{tenant.account_id}")
    assert "Charges of this period so far cannot be computed" in text_of(account)


@pytest.mark.parametrize(
    ("month", "text"),
    [("2026-04", "This month has not begun."), ("March", "This is not a month. Write it like 2026-11.")],
)
async def test_earnings_of_a_month_that_is_none_say_so_beside_the_picker(
    portal: Installation, month: str, text: str
) -> None:
    page = await visitors.operator(portal).get("/operator", params={"month": month})
    assert page.status_code == 400
    assert text in text_of(page)
    assert f'value="{month}"' in page.text


async def test_models_show_the_state_and_the_reason_of_every_version(portal: Installation) -> None:
    page = text_of(await visitors.operator(portal).get("/operator/models"))
    for model in portal.services.engine.catalogue():
        assert model.name in page
        for version in model.versions.values():
            assert version.status is not VersionStatus.UNAVAILABLE or (version.reason or "") in page
    for device in portal.services.engine.devices():
        assert device.name in page


async def test_the_audit_log_names_people_by_their_address_and_can_be_of_one_account(portal: Installation) -> None:
    operator = visitors.operator(portal)
    account_id, other_id = visitors.account(portal), visitors.account(portal)
    await operator.post(f"/operator/accounts/{account_id}/plan", {"plan": "tiered"})
    await operator.post(f"/operator/accounts/{other_id}/plan", {"plan": "digits-only"})
    page = text_of(await operator.get("/operator/audit-log", params={"account": account_id}))
    assert OPERATOR[0] in page
    assert "tiered" in page
    assert "digits-only" not in page
    assert "digits-only" in text_of(await operator.get("/operator/audit-log"))
    nothing = text_of(await operator.get("/operator/audit-log?account=acct_0"))
    assert "Nothing was changed in this account" in nothing


def rows_of(response: httpx.Response) -> str:
    """Return the body of the page's table."""
    return response.text.partition("<tbody>")[2].partition("</tbody>")[0]


async def test_accounts_are_shown_fifty_a_page(portal: Installation) -> None:
    operator = visitors.operator(portal)
    for _ in range(52):
        visitors.account(portal)
    before, first, *_, last, beyond = [account.id for account in portal.services.accounts.list_accounts()][-52:]
    page = await operator.get(f"/operator/accounts?after={before}")
    assert first in rows_of(page)
    assert last in rows_of(page)
    assert before not in rows_of(page)
    assert beyond not in rows_of(page)
    assert f'href="/operator/accounts?after={last}"' in page.text
    end = await operator.get(f"/operator/accounts?after={last}")
    assert beyond in rows_of(end)
    assert "Next page" not in end.text
    assert "There are no further accounts." in text_of(await operator.get(f"/operator/accounts?after={beyond}"))


async def test_the_audit_log_goes_back_fifty_entries_a_page(portal: Installation) -> None:
    operator = visitors.operator(portal)
    for _ in range(26):
        visitors.account(portal)  # two entries each
    entries = portal.services.audit_log.list(limit=51)
    newest = await operator.get("/operator/audit-log")
    assert rows_of(newest).count("<tr>") == 50
    assert f"before={entries[49].id}" in newest.text
    older = await operator.get(f"/operator/audit-log?before={entries[49].id}")
    assert entries[50].target in rows_of(older)
