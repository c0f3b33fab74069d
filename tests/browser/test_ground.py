"""The ground of the browser tests holds: what a browser complains about is heard, and what pages load works under the
portal's security policy."""

from collections.abc import Iterator

import pytest
from playwright.sync_api import Browser, Page

from app.portal.frame.preferences import Language, Theme
from tests.architecture.source_tree import ROOT
from tests.browser.accessibility import axe
from tests.browser.look import NARROW_PX, Look
from tests.browser.page_opener import PageOpener
from tests.browser.site import serving

VENDOR = ROOT / "app" / "portal" / "static" / "vendor"
ICON = b'<link rel="icon" href="data:,">'
NOISY = {
    "console": b"<script src='/warn.js'></script>",
    "script": b"<script src='/raise.js'></script>",
    "Content Security Policy": b"<script>document.title = 'inline'</script>",
    "style": b"<p style='color: red'>inline</p>",
    "answer: 404": b"<img src='/nothing.png' alt='nothing'>",
    "request": b"<img src='http://127.0.0.1:9/closed.png' alt='closed'>",
}


def document(body: bytes, head: bytes = b"") -> bytes:
    return (
        b"<!doctype html><html lang='en'><head><title>Page</title>" + ICON + head + b"</head><body>" + body + b"</body>"
    )


CHART = b"""
const data = {labels: ["a"], datasets: [{data: [1]}]};
const chart = new Chart(document.getElementById("chart"), {type: "bar", data});
document.title = chart.isDatasetVisible(0) ? "drawn" : "empty";
"""
ASSETS = (
    b"<link rel='stylesheet' href='/vendor/tabler.min.css'><script src='/vendor/htmx.min.js' defer></script>"
    b"<script src='/vendor/chart.umd.min.js' defer></script><script src='/chart.js' defer></script>"
    b"<meta name='htmx-config' content='{\"includeIndicatorCSS\": false}'>"
)
PAGE = (
    b"<main><h1 class='text-primary'>Title</h1><button class='btn' hx-get='/part' hx-target='#here'>Load</button>"
    b"<div id='here'></div><div><canvas id='chart' role='img' aria-label='one bar'></canvas></div></main>"
)


@pytest.fixture(scope="module")
def site() -> Iterator[str]:
    files = {
        "/clean": document(b"<main><h1>Clean</h1></main>"),
        "/unlabelled": document(b"<main><h1>Form</h1><input></main>"),
        "/assets": document(PAGE, ASSETS),
        "/part": b"<p>loaded</p>",
        "/warn.js": b"console.warn('beware')",
        "/raise.js": b"throw new Error('broken')",
        "/chart.js": CHART,
        **{f"/noisy/{number}": document(body) for number, body in enumerate(NOISY.values())},
        **{f"/vendor/{file.name}": file.read_bytes() for file in VENDOR.iterdir() if file.is_file()},
    }
    with serving(files) as url:
        yield url


def test_a_clean_page_is_opened_in_the_look_that_was_asked_for(opener: PageOpener, site: str) -> None:
    page = opener.open(f"{site}/clean", look=Look(Language.CHINESE, Theme.DARK, NARROW_PX))
    axe(page)
    assert page.evaluate("[innerWidth, navigator.language, matchMedia('(prefers-color-scheme: dark)').matches]") == [
        NARROW_PX,
        "zh",
        True,
    ]


@pytest.mark.parametrize("complaint", NOISY)
def test_what_a_browser_complains_about_is_heard(chromium: Browser, site: str, complaint: str) -> None:
    opener = PageOpener(chromium)
    opener.open(f"{site}/noisy/{list(NOISY).index(complaint)}")
    opener.close()
    assert any(complaint in line for line in opener.complaints.unexpected())


def test_an_expected_status_is_no_complaint(opener: PageOpener, site: str) -> None:
    opener.complaints.expect_status(404)
    opener.open(f"{site}/no-such-page")


def test_axe_names_what_keeps_people_out(opener: PageOpener, site: str) -> None:
    page = opener.open(f"{site}/unlabelled")
    with pytest.raises(AssertionError, match="critical label: <input>"):
        axe(page)


@pytest.fixture
def assets(opener: PageOpener, site: str) -> Page:
    return opener.open(f"{site}/assets")


def test_the_style_sheet_stands_alone(assets: Page) -> None:
    assert assets.evaluate("getComputedStyle(document.querySelector('.btn')).borderRadius") != "0px"
    axe(assets)


def test_the_scripts_work_under_the_security_policy(assets: Page) -> None:
    assets.get_by_role("button", name="Load").click()
    assets.get_by_text("loaded").wait_for()
    assert assets.title() == "drawn"
