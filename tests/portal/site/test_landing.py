"""The start page: the call that it shows works as it stands, and costs what it says."""

import html
import json
import re
import shlex

import pytest

from app.portal.site import landing
from tests.api.installation import Installation
from tests.portal.browser import Browser, text_of

_CODE = re.compile(r'<figure class="hero-call">.*?<pre[^>]*>(.*?)</pre>', re.DOTALL)


async def test_the_call_works_as_it_stands_and_costs_what_is_said(portal: Installation) -> None:
    page = await Browser(portal).get("/")
    shown = _CODE.search(page.text)
    assert shown
    key = portal.tenant()
    words = shlex.split(html.unescape(shown[1]).replace("$FAREMETER_KEY", key.secret).replace("\\\n", " "))
    assert words[0] == "curl"
    headers = dict(words[at + 1].split(": ", 1) for at, word in enumerate(words) if word == "-H")
    answer = await portal.http.post(words[1], headers=headers, content=words[words.index("-d") + 1])
    assert answer.status_code == 200, answer.text
    usage = json.loads(answer.text)["usage"]
    assert f"This call costs {usage['amount']} {usage['currency']}." in text_of(page)


async def test_where_nothing_is_sold_no_call_is_shown(portal: Installation, monkeypatch: pytest.MonkeyPatch) -> None:
    """As where the operator has set no default plan."""
    monkeypatch.setattr(landing, "default_plan", lambda _services: None)
    page = (await Browser(portal).get("/")).text
    assert "hero-call" not in page
    assert "curl" not in page
