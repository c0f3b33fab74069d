"""Six presses from the landing page to a first successful call, and the same without script, or without a mouse."""

import json
import re
from pathlib import Path

from playwright.sync_api import Page, expect

from app.billing.invoice_run_report import RunResult
from app.period import Month
from tests.browser.installation import PASSWORD, Installation
from tests.browser.look import Person
from tests.browser.newcomer import Presses, run_in_shell, sign_up, tab_to, type_into
from tests.browser.page_opener import PageOpener

PRESSES = 6


def test_six_presses_lead_to_a_call_from_the_shell_and_one_from_the_page(
    opener: PageOpener, installation: Installation, tmp_path: Path
) -> None:
    page = opener.fresh()
    page.context.grant_permissions(["clipboard-read", "clipboard-write"], origin=installation.url)
    presses = Presses(page.context)

    sign_up(page, installation)
    page.get_by_role("button", name="Copy cURL").click()
    expect(page.locator("[data-copy-label]", has_text="Copied")).to_be_visible()
    status, body = run_in_shell(page.evaluate("navigator.clipboard.readText()"), tmp_path)
    assert status == 200, body
    with page.expect_response("**/predict") as response:
        page.get_by_role("button", name="Run").click()
    assert response.value.status == 200
    answer = json.loads(body)["outputs"][0]["progression"]
    expect(page.locator("#answer .figure")).to_have_text(str(answer))
    expect(page.locator("#answer .facts")).to_contain_text("nothing: this was a test")
    assert presses.count == PRESSES

    two_test_calls_are_counted_and_cost_nothing(page, installation)


def two_test_calls_are_counted_and_cost_nothing(page: Page, installation: Installation) -> None:
    requests = page.locator("[data-metric=requests]")
    page.goto(f"{installation.url}/app/usage?keys=test")
    while requests.get_attribute("data-total") != "2":
        page.reload()  # the books follow a moment after the answer
    page.goto(f"{installation.url}/app/usage?keys=live")
    expect(requests).to_have_attribute("data-total", "0")
    page.goto(f"{installation.url}/app")
    expect(page.get_by_role("link", name="Charges this period")).to_contain_text("0.00 USD")
    account_id, now = page.locator(".rooms-title").get_attribute("title"), installation.books.clock.now()
    (outcome,) = installation.books.invoice_run.run(Month(now.year, now.month), account_id).outcomes
    assert outcome.result is RunResult.NOTHING_OWED


def test_without_script_a_newcomer_gets_a_key_and_an_answer(
    opener: PageOpener, installation: Installation, tmp_path: Path
) -> None:
    page = opener.fresh(scripts=False)
    sign_up(page, installation)
    page.get_by_role("button", name="Make my test key").click()
    expect(page.locator("#secret")).to_have_text(re.compile(r"^fm_test_\w+$"))
    status, body = run_in_shell(page.locator("#first-call").inner_text(), tmp_path)
    assert status == 200, body
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer .figure")).to_have_text(str(json.loads(body)["outputs"][0]["progression"]))


def test_without_a_mouse_somebody_signs_in_and_runs_a_model(opener: PageOpener, installation: Installation) -> None:
    user = installation.user(Person.DEVELOPER)
    page = opener.fresh()
    presses = Presses(page.context)
    page.goto(f"{installation.url}/app/playground")
    type_into(page.get_by_label("E-mail address"), user.email)
    type_into(page.get_by_label("Password"), PASSWORD)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Playground")
    tab_to(page.get_by_role("button", name="Run"))
    page.keyboard.press("Enter")
    expect(page.locator("#answer .facts")).to_contain_text("nothing: this was a test")
    assert presses.count == 0
