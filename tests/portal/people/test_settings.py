"""The account that a person looks at: its facts, its name, and another one."""

import pytest

from app.members.role import Role
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import text_of

NAME = "Ada <img src=x onerror=alert(1)> & Söhne"


async def test_an_owner_sees_the_facts_and_renames_the_account(portal: Installation) -> None:
    owner = visitors.member(portal)
    assert f"Id {owner.account_id} Plan payg Currency USD" in text_of(await owner.get("/app/settings"))
    answer = await owner.post("/app/settings", {"name": f" {NAME} "})
    assert answer.headers["location"] == "/app/settings?done=renamed"
    page = await owner.get(answer.headers["location"])
    assert "The account has its new name." in text_of(page)
    assert NAME in text_of(page)
    assert "<img" not in page.text
    entry = portal.services.audit_log.list(owner.account_id)[0]
    assert (entry.action, entry.actor.id, entry.details["after"]) == ("account.renamed", owner.user.id, NAME)


async def test_a_name_that_changes_nothing_leaves_no_entry(portal: Installation) -> None:
    owner = visitors.member(portal)
    name = portal.services.accounts.get_account(owner.account_id).name
    entries = portal.services.audit_log.list(owner.account_id)
    assert (await owner.post("/app/settings", {"name": name})).status_code == 303
    assert portal.services.audit_log.list(owner.account_id) == entries


@pytest.mark.parametrize("name", ["", "   ", "x" * 101, "two\nlines"])
async def test_a_bad_name_is_refused_with_its_reason(portal: Installation, name: str) -> None:
    answer = await visitors.member(portal).post("/app/settings", {"name": name})
    assert (answer.status_code, "A name has 1 to 100 characters on one line." in text_of(answer)) == (400, True)


@pytest.mark.parametrize("field", ["currency", "zone", "plan", "closed_through", "account"])
async def test_a_form_changes_the_name_and_nothing_else(portal: Installation, field: str) -> None:
    owner = visitors.member(portal)
    before = portal.services.accounts.get_account(owner.account_id)
    assert (await owner.post("/app/settings", {"name": "New", field: "EUR"})).status_code == 400
    assert portal.services.accounts.get_account(owner.account_id) == before


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.BILLING, Role.VIEWER])
async def test_only_an_owner_comes_to_the_settings(portal: Installation, role: Role) -> None:
    somebody = visitors.member(portal, role)
    assert (await somebody.get("/app/settings")).status_code == 403
    assert (await somebody.post("/app/settings", {"name": "Mine"})).status_code == 403


async def test_a_person_goes_over_to_another_account_of_its_own(portal: Installation) -> None:
    somebody, owner = visitors.member(portal), visitors.member(portal)
    portal.services.members.add(owner.account_id, somebody.user.email, Role.OWNER)
    assert somebody.account_id in (await somebody.get("/app/settings")).text
    answer = await somebody.post("/app/switch", {"account": owner.account_id})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app")
    assert owner.account_id in text_of(await somebody.get("/app/settings"))
    await somebody.post("/app/switch", {"account": somebody.account_id})
    assert f"Id {somebody.account_id}" in text_of(await somebody.get("/app/settings"))


async def test_nobody_goes_over_to_the_account_of_others(portal: Installation) -> None:
    somebody, stranger = visitors.member(portal), visitors.member(portal)
    assert (await somebody.post("/app/switch", {"account": stranger.account_id})).status_code == 404
    somebody.http.cookies.set("faremeter_account", stranger.account_id, domain="portal.example.test", path="/")
    page = text_of(await somebody.get("/app/settings"))
    assert f"Id {somebody.account_id}" in page
    assert stranger.account_id not in page
