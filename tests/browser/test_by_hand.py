"""What hands do: press twice, draw, switch the language and the theme."""

import re

from playwright.sync_api import Page, expect

from app.period import Period
from tests.browser.installation import Installation
from tests.browser.page_opener import PageOpener


def test_a_double_click_on_run_is_charged_once(opener: PageOpener, installation: Installation) -> None:
    began_at = installation.books.clock.now()
    account, cookies = installation.new_owner()
    page = opener.open(f"{installation.url}/app/playground/linear", cookies=cookies)
    page.get_by_label("Live: ").check()
    page.get_by_role("button", name="Run").dblclick()
    expect(page.locator("#answer .facts")).to_contain_text("0.00001 USD")
    page.wait_for_load_state("networkidle")
    since = Period(began_at, installation.books.clock.now())
    (recorded,) = installation.books.metering.events(account.id, since, after="", limit=10)
    assert (recorded.event.live, recorded.event.amount_nanos) == (True, 10_000)


def test_a_digit_drawn_with_the_mouse_is_answered(opener: PageOpener, installation: Installation) -> None:
    _, cookies = installation.new_owner()
    page = opener.open(f"{installation.url}/app/playground/vgg16-digits", cookies=cookies)
    draw_a_one(page)
    expect(page.locator("[data-picture-name]")).to_have_text("drawn-digit.png")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer .figure")).to_have_text(re.compile(r"^\d$"))
    expect(page.locator("#answer .facts")).to_contain_text("1 image")
    expect(page.locator("#code-curl")).to_contain_text("@drawn-digit.png")


def draw_a_one(page: Page) -> None:
    canvas = page.locator("canvas")
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    middle = box["x"] + box["width"] / 2
    page.mouse.move(middle, box["y"] + box["height"] * 0.2)
    page.mouse.down()
    page.mouse.move(middle, box["y"] + box["height"] * 0.8, steps=10)
    page.mouse.up()


def test_a_page_that_came_by_plain_http_copies_too(opener: PageOpener, installation: Installation) -> None:
    _, cookies = installation.new_owner()
    page = opener.open(f"{installation.url}/app/playground/linear", cookies=cookies)
    page.evaluate("Object.defineProperty(navigator, 'clipboard', {value: undefined})")
    page.get_by_role("button", name="Copy the cURL line").click()
    expect(page.locator("[data-copy-label]", has_text="Copied")).to_be_visible()
    page.locator("#rows").fill("")
    page.keyboard.press("Control+V")
    assert page.locator("#rows").input_value() == page.locator("#code-curl").inner_text()


def test_copying_twice_is_said_twice_and_the_button_is_called_as_before(
    opener: PageOpener, installation: Installation
) -> None:
    _, cookies = installation.new_owner()
    page = opener.fresh()
    page.clock.install()
    page.context.add_cookies(
        [{"name": name, "value": value, "url": installation.url} for name, value in cookies.items()]
    )
    page.goto(f"{installation.url}/app/playground/linear")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    button = page.get_by_role("button", name="Copy the cURL line")
    button.click()
    expect(page.locator("[role=status]", has_text="Copied")).to_have_count(1)
    page.clock.run_for(1500)
    button.click()
    expect(button).to_have_text("Copied")
    page.clock.run_for(1500)
    expect(button).to_have_text("Copied")
    page.clock.run_for(1500)
    expect(button).to_have_text("Copy")


def test_a_choice_is_looked_through_from_the_keyboard_and_applied_when_it_is_made(
    opener: PageOpener, installation: Installation
) -> None:
    page = opener.open(installation.url)
    loads: list[str] = []
    page.on("framenavigated", lambda frame: loads.append(frame.url))
    page.locator("#preference-theme").focus()
    for _ in range(2):
        page.keyboard.press("ArrowDown")
    expect(page.locator("#preference-theme")).to_be_focused()
    assert (page.locator("#preference-theme").input_value(), loads) == ("dark", [])
    page.keyboard.press("Tab")
    page.keyboard.press("Enter")
    expect(page.locator("html")).to_have_attribute("data-bs-theme", "dark")


def test_without_a_script_nothing_offers_to_copy(opener: PageOpener, installation: Installation) -> None:
    _, cookies = installation.new_owner()
    page = opener.fresh(scripts=False)
    page.context.add_cookies(
        [{"name": name, "value": value, "url": installation.url} for name, value in cookies.items()]
    )
    page.goto(f"{installation.url}/app/playground/linear")
    expect(page.locator("#code-curl")).to_be_visible()
    expect(page.locator(".code-curl [data-copy]")).to_be_hidden()


def test_language_and_theme_stay_as_they_were_chosen(opener: PageOpener, installation: Installation) -> None:
    page = opener.fresh()
    page.goto(installation.url)
    page.get_by_label("Language").select_option("zh")
    page.get_by_role("button", name="Apply").click()
    html = page.locator("html")
    expect(html).to_have_attribute("lang", "zh")
    page.locator("#preference-theme").select_option("dark")
    page.locator("form.preferences button").click()
    expect(html).to_have_attribute("data-bs-theme", "dark")
    assert page.url == f"{installation.url}/"
    another = page.context.new_page()
    another.goto(f"{installation.url}/login")
    assert another.locator("html").get_attribute("lang") == "zh"
    assert another.locator("html").get_attribute("data-bs-theme") == "dark"
    assert another.locator("h1").inner_text() == "登录"
