"""What models and errors say is English: a page in another language marks it, so that it is read out as English."""

from html.parser import HTMLParser

import pytest

from app.inference.engine import ModelState
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import Browser
from tests.portal.pages import PLAN

_VOID = {"input", "meta", "link", "br", "img", "hr"}


class _Reader(HTMLParser):
    """Collects the texts of a page with the language that each is in."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[tuple[str, str]] = []
        self._languages = [""]

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in _VOID:
            self._languages.append(dict(attrs).get("lang") or self._languages[-1])

    def handle_endtag(self, tag: str) -> None:
        if tag not in _VOID:
            self._languages.pop()

    def handle_data(self, data: str) -> None:
        self.texts.append((" ".join(data.split()), self._languages[-1]))


def languages_of(page: str, text: str) -> set[str]:
    """Return the languages that a page has the text in."""
    reader = _Reader()
    reader.feed(page)
    return {language for each, language in reader.texts if " ".join(text.split()) in each}


def model_of(portal: Installation) -> ModelState:
    return next(state for state in portal.services.engine.catalogue() if state.name == "linear")


@pytest.mark.parametrize("path", ["/", "/app/playground/linear", "/operator/models"])
async def test_a_models_own_words_are_marked_as_english(portal: Installation, path: str) -> None:
    model = model_of(portal)
    browser: Browser = visitors.operator(portal) if path.startswith("/operator") else visitors.member(portal)
    browser.http.headers["Accept-Language"] = "zh-CN"
    page = (await browser.get(path)).text
    assert 'lang="zh"' in page
    assert model.manifest
    assert languages_of(page, model.manifest.title) == {"en"}
    if path != "/operator/models":
        assert languages_of(page, model.manifest.description) == {"en"}


async def test_an_error_without_a_text_of_its_own_is_marked_as_english(portal: Installation) -> None:
    browser = visitors.operator(portal)
    browser.http.headers["Accept-Language"] = "zh-CN"
    toml = PLAN.replace("matrix", "foreign").replace('unit_price = "0"', 'unit_price = "cheap"')
    answer = await browser.post("/operator/plans", {"toml": toml})
    assert answer.status_code == 400
    assert languages_of(answer.text, "cheap") == {"en", "zh"}  # the mistake in words, and the file as it was typed


async def test_an_error_is_told_in_the_readers_language_alone(portal: Installation) -> None:
    answer = await Browser(portal, language="zh-CN").get("/join/made-up")
    assert languages_of(answer.text, "此链接无效。") == {"zh"}
    assert languages_of(answer.text, "link") == set()


async def test_what_a_key_may_do_is_told_apart_as_the_language_does(portal: Installation) -> None:
    person = visitors.member(portal)
    scopes = ["predict", "usage:read"]
    await person.post("/app/keys", {"name": "two rights", "mode": "test", "scopes": scopes})
    assert "predict, read usage" in (await person.get("/app/keys")).text
    person.http.headers["Accept-Language"] = "zh-CN"
    assert "预测、读取用量" in (await person.get("/app/keys")).text
