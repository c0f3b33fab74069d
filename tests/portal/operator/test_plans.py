"""Publishing plans from a page."""

import re

import pytest

from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import text_of
from tests.portal.pages import PLAN


def plan(key: str, price: str = "0.5") -> str:
    return PLAN.replace("matrix", key).replace('unit_price = "0"', f'unit_price = "{price}"')


async def test_a_plan_is_published_shown_and_followed_by_its_next_version(portal: Installation) -> None:
    operator = visitors.operator(portal)
    key = "published-on-a-page"
    answer = await operator.post("/operator/plans", {"toml": plan(key)})
    assert (answer.status_code, answer.headers["location"]) == (303, f"/operator/plans/{key}?done=published")
    page = await operator.get(answer.headers["location"])
    assert "Version 1 is in effect." in text_of(page)
    assert "0.5 USD per unit" in text_of(page)

    (toml,) = re.findall(r"<textarea[^>]*>(.*?)</textarea>", page.text, re.DOTALL)
    text = toml.replace("&#34;", '"').replace("0.5", "0.75")
    await operator.post("/operator/plans", {"toml": text})
    page = await operator.get(f"/operator/plans/{key}")
    assert "Version 2 in effect" in text_of(page)
    assert "0.75 USD per unit" in text_of(page)
    assert "0.5 USD per unit" in text_of(page)
    assert f"/operator/plans/{key}" in (await operator.get("/operator/plans")).text
    entry = next(entry for entry in portal.services.audit_log.list() if entry.action == "plan.published")
    assert (entry.details["plan"], entry.details["version"], entry.actor.kind) == (key, "2", "user")


@pytest.mark.parametrize(
    ("toml", "place"),
    [
        (plan("broken", "cheap"), "price[0].unit_price"),
        (plan("broken").replace("per_unit", "per_moon"), "price[0].scheme"),
        (plan("broken").replace("currency", "curency"), "curency"),
        ("key = ", "plan file"),
        (plan("payg").replace("USD", "EUR"), "currency"),
    ],
)
async def test_a_mistake_is_shown_with_its_place_and_the_text_stays(
    portal: Installation, toml: str, place: str
) -> None:
    before = portal.services.plans.list()
    answer = await visitors.operator(portal).post("/operator/plans", {"toml": toml})
    assert answer.status_code in {400, 409}
    assert f"Nothing was published: there is a mistake at {place}" in text_of(answer)
    assert toml.strip().splitlines()[0].replace('"', "&#34;") in answer.text
    assert portal.services.plans.list() == before


async def test_what_a_plan_file_holds_is_shown_as_text(portal: Installation) -> None:
    answer = await visitors.operator(portal).post("/operator/plans", {"toml": "</textarea><script>alert(1)</script>"})
    assert answer.status_code == 400
    assert "<script>alert" not in answer.text
