"""What a `User-Agent` is called."""

import pytest

from app.portal.people.browser_name import BrowserName, browser_name

CHROME = "Mozilla/5.0 ({}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/126.0.0.0 {}Safari/537.36"


@pytest.mark.parametrize(
    ("agent", "name"),
    [
        (CHROME.format("X11; Linux x86_64", ""), BrowserName("Chrome", "Linux")),
        (CHROME.format("Linux; Android 14; Pixel 8", ""), BrowserName("Chrome", "Android")),
        (CHROME.format("Windows NT 10.0", "") + " Edg/126.0", BrowserName("Edge", "Windows")),
        (CHROME.format("Windows NT 10.0", "") + " OPR/110.0", BrowserName("Opera", "Windows")),
        (
            "Mozilla/5.0 (Macintosh; Intel Mac OS X 14_5) Version/17.5 Safari/605.1.15",
            BrowserName("Safari", "macOS"),
        ),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 17_5 like Mac OS X) Safari/604.1", BrowserName("Safari", "iPhone")),
        ("curl/8.5.0", BrowserName(None, None)),
        ("", BrowserName(None, None)),
    ],
)
def test_a_browser_is_called_what_people_call_it(agent: str, name: BrowserName) -> None:
    assert browser_name(agent) == name
