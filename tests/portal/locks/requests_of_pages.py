"""Sending the request of a row of the table, as whoever holds the browser."""

from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import httpx

from tests.portal.browser import Browser
from tests.portal.locks.belongings import Belongings
from tests.portal.locks.callers import forms_token
from tests.portal.pages import Page

Sender = Callable[..., Awaitable[httpx.Response]]


def id_of(page: Page) -> str:
    return f"{page.method} {page.path}"


async def send(browser: Browser, page: Page, belongings: Belongings, **options: Any) -> httpx.Response:
    """Send the row's request with the token of the browser's own forms; `options` go to httpx."""
    return await (await prepared(browser, page, belongings))(**options)


async def prepared(browser: Browser, page: Page, belongings: Belongings) -> Sender:
    """Return what sends the request: everything that it needs has been made, so that only the request is watched."""
    path = await belongings.fill(page.path)
    query = await belongings.fill(page.query)
    url = f"{path}?{query}" if query else path
    if page.method == "GET":
        return partial(browser.http.get, url)
    form = {"csrf": forms_token(browser), **await belongings.fill_form(page.form)}
    return partial(browser.http.request, page.method, url, data=form, files=page.files or None)
