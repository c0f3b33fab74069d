"""/operator/audit: every check in green, or in red with what differs."""

import pytest

from app.portal.frame.preferences import Language
from app.portal.frame.translations import translations
from app.self_audit import service
from app.self_audit.checks import CHECKS, Check
from app.self_audit.report import Tally
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import text_of


async def test_the_books_are_compared_at_the_press_of_a_button(portal: Installation) -> None:
    operator = visitors.operator(portal)
    before = await operator.get("/operator/audit")
    assert "Compare now" in text_of(before)
    assert "agrees" not in text_of(before)
    page = text_of(await operator.post("/operator/audit"))
    for check in CHECKS:
        assert f"{check.claim[0].upper()}{check.claim[1:]}. {check.name}" in page
    assert page.count(" agrees ") + page.count(" differs ") == len(CHECKS)


async def test_every_claim_is_told_in_the_readers_language(portal: Installation) -> None:
    operator = visitors.operator(portal)
    operator.http.headers["Accept-Language"] = "zh-CN"
    page = await operator.post("/operator/audit")
    for check in CHECKS:
        sentence = f"{check.claim[0].upper()}{check.claim[1:]}."
        assert translations(Language.CHINESE).gettext(sentence) in page.text


async def test_what_differs_is_shown_in_red_with_both_sides(
    portal: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(_session: object, tally: Tally, _as_of: object) -> None:
        tally.compare("acct_<1>", 7, 8)
        tally.warn("worth a look")

    monkeypatch.setattr(service, "CHECKS", (Check("broken", "nothing is as it was", broken),))
    answer = await visitors.operator(portal).post("/operator/audit")
    page = text_of(answer)
    assert "The books do not agree with each other." in page
    assert "differs nothing is as it was broken" in page
    assert "acct_<1> : expected 7, found 8" in page.replace("acct_<1>:", "acct_<1> :")
    assert "worth a look" in page
    assert "<1>" not in answer.text
