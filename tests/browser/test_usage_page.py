"""The usage page in a browser: the chart is drawn from the table, and follows it through every change of filters."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.clock import SystemClock
from tests.browser.conftest import OpenPage
from tests.browser.installation import Installation
from tests.browser.look import Person
from tests.builders import make_event, record_usage

CHART = "Chart.getChart(document.querySelector('.chart canvas'))"
DRAWN = f"() => {CHART}.data.datasets.map(each => [each.label, each.data])"


@pytest.fixture
def page(installation: Installation, open_page: OpenPage) -> Page:
    """The usage of two models in the last hours, as the owner sees it."""
    books, now = installation.books, SystemClock().now()
    plan = books.plans.in_effect(installation.account.id, now)
    assert plan
    for model, units in (("linear", 3), ("vgg16", 7)):
        event = make_event(
            account_id=installation.account.id,
            plan_version_id=plan.id,
            model=model,
            units=units,
            occurred_at=now - timedelta(minutes=1),
        )
        record_usage(books.database, event)
    return open_page("/app/usage?zone=UTC", person=Person.OWNER)


def cells(page: Page) -> Any:
    """Return the columns that are drawn, from the table's own cells, the oldest row first."""
    return page.evaluate(
        """() => {
          const table = document.querySelector('#usage-table');
          const rows = [...table.tBodies[1].rows].reverse();
          return [...table.tHead.rows[0].cells].flatMap((head, index) => 'series' in head.dataset
            ? [[head.textContent.trim(), rows.map(row => Number(row.cells[index].dataset.value))]] : []);
        }"""
    )


def test_the_chart_shows_the_table_and_stays_with_it(page: Page) -> None:
    assert page.evaluate(DRAWN) == cells(page)
    page.get_by_role("link", name="Units").click()
    expect(page.locator("a[aria-current]", has_text="Units")).to_be_visible()
    page.wait_for_url("**metric=units**")
    assert page.evaluate(DRAWN) == cells(page)
    page.get_by_label("Group by").select_option("none")
    page.get_by_role("button", name="Show").click()
    page.wait_for_url("**group=none**")
    expect(page.locator("th[data-series]")).to_have_text("Units")
    assert page.evaluate(DRAWN) == cells(page)
    page.go_back()
    page.wait_for_url("**group=model**")
    expect(page.locator("th[data-series]").first).not_to_have_text("Units")
    assert page.evaluate(DRAWN) == cells(page)


def test_other_dates_begin_with_those_that_are_shown(page: Page) -> None:
    page.get_by_role("link", name="Today", exact=True).click()
    page.wait_for_url("**range=today**")
    page.get_by_role("link", name="Other dates").click()
    page.wait_for_url("**range=custom**")
    assert page.get_by_label("From").input_value() in page.url
    assert page.evaluate(DRAWN) == cells(page)


def test_a_date_is_typed_and_shown_when_it_is_whole(page: Page) -> None:
    page.get_by_role("link", name="Other dates").click()
    page.wait_for_url("**range=custom**")
    before = page.url
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.url) if "/app/usage" in request.url else None)
    page.locator("#from").focus()
    page.keyboard.type("15/03/2026" if page.evaluate("navigator.language") == "en-GB" else "03152026")
    page.locator("#zone").focus()
    page.keyboard.type("Asia/K")
    assert page.locator("#from").input_value() == "2026-03-15"
    assert page.locator("#zone").input_value().startswith("Asia/K")
    assert (page.url, sent) == (before, [])
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    page.wait_for_url("**from=2026-03-15**")


def test_the_colours_follow_the_theme(page: Page) -> None:
    colour = f"() => {CHART}.data.datasets[0].backgroundColor"
    light = page.evaluate(colour)
    page.evaluate("document.documentElement.dataset.bsTheme = 'dark'")
    page.wait_for_function(f"({colour})() !== '{light}'")


def test_without_a_script_the_table_says_it_all(installation: Installation, page: Page) -> None:
    browser = page.context.browser
    assert browser
    context = browser.new_context(java_script_enabled=False)
    context.add_cookies(
        [
            {"name": name, "value": value, "url": installation.url}
            for name, value in installation.cookies_of(Person.OWNER).items()
        ]
    )
    plain = context.new_page()
    plain.goto(f"{installation.url}/app/usage?zone=UTC")
    expect(plain.locator(".chart")).to_be_hidden()
    plain.get_by_label("Group by").select_option("none")
    plain.get_by_role("button", name="Show").click()
    expect(plain.get_by_role("columnheader", name="Failed calls")).to_be_visible()
    context.close()
