"""Opens pages as somebody, in some look, and keeps what the browser complains about."""

from dataclasses import dataclass, field
from urllib.parse import urljoin

from playwright.sync_api import Browser, BrowserContext, Page

from app.portal.frame.preferences import COOKIE
from tests.browser.complaints import Complaints
from tests.browser.look import Look

_HEIGHT_PX = 800


@dataclass(slots=True)
class PageOpener:
    """Each opened page has a browser context to itself: cookies and a cache of its own, closed at the end."""

    browser: Browser
    complaints: Complaints = field(default_factory=Complaints)
    _contexts: list[BrowserContext] = field(default_factory=list)

    def open(self, url: str, *, look: Look | None = None, cookies: dict[str, str] | None = None) -> Page:
        """Go to the address in a fresh browser that holds the cookies; return the page once what it loads is there."""
        look = look or Look()
        page = self.fresh(look)
        site = urljoin(url, "/")  # else a cookie would hold for the folder of the page alone
        page.context.add_cookies(
            [{"name": name, "value": value, "url": site} for name, value in (cookies or {}).items()]
        )
        self.show(page, url, look)
        return page

    def fresh(self, look: Look | None = None, *, scripts: bool = True) -> Page:
        """Return a page that has gone nowhere yet, in a fresh browser; without `scripts`, it runs none."""
        language = (look or Look()).language.value
        context = self.browser.new_context(
            locale=language, timezone_id="UTC", reduced_motion="reduce", java_script_enabled=scripts
        )
        self._contexts.append(context)
        page = context.new_page()
        self.complaints.listen(page)
        return page

    def show(self, page: Page, url: str, look: Look) -> None:
        """Go to the address in another look: quicker than to open a page, since the browser has all but the page."""
        page.context.add_cookies([{"name": COOKIE, "value": look.preferences.cookie_value(), "url": urljoin(url, "/")}])
        page.set_viewport_size({"width": look.width_px, "height": _HEIGHT_PX})
        page.emulate_media(color_scheme="dark" if look.theme == "dark" else "light")
        page.goto(url)

    def close(self) -> None:
        for context in self._contexts:
            context.close()
        self._contexts.clear()
