"""Opens pages as somebody, in some look, and keeps what the browser complains about."""

from dataclasses import dataclass, field

from playwright.sync_api import Browser, BrowserContext, Page

from app.portal.preferences import COOKIE
from tests.browser.complaints import Complaints
from tests.browser.look import Look

_HEIGHT_PX = 800


@dataclass(slots=True)
class PageOpener:
    """Each page has a browser context to itself: cookies of its own, closed at the end."""

    browser: Browser
    complaints: Complaints = field(default_factory=Complaints)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, url: str, *, look: Look | None = None, cookies: dict[str, str] | None = None) -> Page:
        """Go to the address and return the page, once what it loads is there."""
        look = look or Look()
        context = self.browser.new_context(
            viewport={"width": look.width_px, "height": _HEIGHT_PX},
            locale=look.language.value,
            timezone_id="UTC",
            color_scheme="dark" if look.theme == "dark" else "light",
            reduced_motion="reduce",
        )
        self._contexts.append(context)
        values = {COOKIE: look.preferences.cookie_value(), **(cookies or {})}
        context.add_cookies([{"name": name, "value": value, "url": url} for name, value in values.items()])
        page = context.new_page()
        self.complaints.listen(page)
        page.goto(url)
        return page

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self._contexts.clear()
