"""Running a month from a page."""

import pytest

from app.billing.invoice_run_report import AccountOutcome, InvoiceRunReport, RunResult
from app.period import Month
from app.portal.operator import invoice_runs as operator_invoice_runs
from tests.api.installation import ROW, Installation
from tests.portal import visitors
from tests.portal.browser import text_of


async def test_the_form_proposes_the_month_that_is_over(portal: Installation) -> None:
    assert 'value="2026-02"' in (await visitors.operator(portal).get("/operator/invoice-runs")).text


async def test_a_run_shows_what_became_of_an_account(portal: Installation) -> None:
    tenant = portal.tenant()
    assert (await portal.predict(tenant, [ROW] * 1000)).status_code == 200
    operator = visitors.operator(portal)
    answer = await operator.post("/operator/invoice-runs", {"month": "2026-03", "account": tenant.account_id})
    assert answer.status_code == 200
    name = portal.services.accounts.get_account(tenant.account_id).name
    assert f"{name} draft without a number yet 0.01 USD" in text_of(answer)
    assert "draft - 0.01 USD" in text_of(await operator.get(f"/operator/accounts/{tenant.account_id}"))
    entry = portal.services.audit_log.list(tenant.account_id)[0]
    assert (entry.action, entry.target, entry.actor.kind) == ("invoices.run", "2026-03", "user")


async def test_a_run_of_all_has_a_line_for_each_account(portal: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(operator_invoice_runs, "OUTCOMES_SHOWN", 10_000)
    account_id = visitors.account(portal)
    answer = await visitors.operator(portal).post("/operator/invoice-runs", {"month": "2026-02", "account": ""})
    assert f'href="/operator/accounts/{account_id}"' in answer.text
    assert "nothing owed" in text_of(answer)


async def test_of_very_many_accounts_those_that_failed_are_shown(
    portal: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    accounts = [visitors.account(portal) for _ in range(3)]
    names = [portal.services.accounts.get_account(account_id).name for account_id in accounts]
    outcomes = [
        AccountOutcome(accounts[0], RunResult.NOTHING_OWED),
        AccountOutcome(accounts[1], RunResult.NOT_BEGUN),
        AccountOutcome(accounts[2], RunResult.FAILED, error="no price"),
    ]
    report = InvoiceRunReport(Month(2026, 2), tuple(outcomes))
    assert report.most_urgent(2) == (outcomes[2], outcomes[0])
    monkeypatch.setattr(operator_invoice_runs, "OUTCOMES_SHOWN", 2)
    monkeypatch.setattr(portal.services.invoice_run, "run", lambda *_, **__: report)
    answer = text_of(await visitors.operator(portal).post("/operator/invoice-runs", {"month": "2026-02"}))
    assert f"{names[2]} failed no price" in answer
    assert names[1] not in answer
    assert "Of 3 accounts 2 are shown, those that failed first" in answer


async def test_a_month_that_is_none_and_an_account_that_is_none_are_said(portal: Installation) -> None:
    operator = visitors.operator(portal)
    answer = await operator.post("/operator/invoice-runs", {"month": "2026-13"})
    assert (answer.status_code, "This is not a month." in text_of(answer)) == (400, True)
    answer = await operator.post("/operator/invoice-runs", {"month": "2026-02", "account": "acct_0"})
    assert answer.status_code == 404
    assert "there is no account acct_0" in text_of(answer)
