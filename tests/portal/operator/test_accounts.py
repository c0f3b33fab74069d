"""Opening accounts and looking after them: forms of the operator."""

from datetime import timedelta

import pytest

from app.audit_log.entry import AuditEntry
from app.members.role import Role
from tests.api.installation import OPERATOR, ROW, Installation
from tests.portal import visitors
from tests.portal.browser import text_of

NEW = {"name": "Ada & <b>Söhne</b>", "currency": "USD", "zone": "Asia/Kathmandu", "anchor_day": "31", "plan": "payg"}


def log(portal: Installation, account_id: str) -> list[AuditEntry]:
    return portal.services.audit_log.list(account_id)


async def opened(portal: Installation, **facts: str) -> str:
    answer = await visitors.operator(portal).post("/operator/accounts", {**NEW, **facts})
    assert answer.status_code == 303, text_of(answer)
    path, _, done = answer.headers["location"].partition("?")
    assert done == "done=created"
    return str(path.rpartition("/")[2])


async def test_an_account_is_opened_on_a_plan_and_its_owner_is_invited(portal: Installation) -> None:
    account_id = await opened(portal, owner="New.Owner@example.test")
    services = portal.services
    account = services.accounts.get_account(account_id)
    assert (account.name, account.zone, account.anchor_day) == (NEW["name"], "Asia/Kathmandu", 31)
    plan = services.plans.in_effect(account_id, portal.clock.now())
    assert plan
    assert plan.plan_key == "payg"
    (invitation,) = services.members.invitations(account_id)
    assert (invitation.email, invitation.role) == ("new.owner@example.test", Role.OWNER)
    assert {entry.action for entry in log(portal, account_id)} == {"account.created", "plan.assigned", "member.invited"}
    assert {entry.actor.kind for entry in log(portal, account_id)} == {"user"}

    page = await visitors.operator(portal).get(f"/operator/accounts/{account_id}?done=created")
    assert "The account is open." in text_of(page)
    assert "new.owner@example.test owner invited, until" in text_of(page)
    assert "<b>Söhne" not in page.text
    assert NEW["name"] in text_of(page)


async def test_an_account_may_have_neither_plan_nor_owner(portal: Installation) -> None:
    account_id = await opened(portal, plan="", owner="")
    page = text_of(await visitors.operator(portal).get(f"/operator/accounts/{account_id}"))
    assert "On no plan: its calls are refused." in page
    assert "Nobody is a member yet: invite an owner." in page
    assert [entry.action for entry in log(portal, account_id)] == ["account.created"]


@pytest.mark.parametrize(
    ("wrong", "status", "text"),
    [
        ({"currency": "EUR"}, 400, "The plan is in another currency than the account."),
        ({"plan": "nothing"}, 404, "There is no plan of that key."),
        ({"owner": "nobody"}, 400, "This is not an e-mail address."),
        ({"owner": "owner@example.test", "plan": "nothing"}, 404, "There is no plan of that key."),
        ({"name": "two\nlines"}, 400, "a name has 1 to 100 characters on one line"),
        ({"anchor_day": "32"}, 400, "The form is incomplete or holds something that does not belong there."),
        ({"id": "acct_1"}, 400, "The form is incomplete or holds something that does not belong there."),
    ],
)
async def test_a_form_with_a_mistake_opens_nothing_and_says_what_is_wrong(
    portal: Installation, wrong: dict[str, str], status: int, text: str
) -> None:
    before = len(portal.services.accounts.list_accounts())
    answer = await visitors.operator(portal).post("/operator/accounts", {**NEW, **wrong})
    assert answer.status_code == status
    assert text in text_of(answer)
    assert len(portal.services.accounts.list_accounts()) == before


async def test_a_form_that_comes_back_keeps_what_was_typed(portal: Installation) -> None:
    answer = await visitors.operator(portal).post("/operator/accounts", {**NEW, "owner": 'a"b', "currency": "EUR"})
    assert answer.status_code == 400
    for kept in ('value="EUR"', '<option value="Asia/Kathmandu" selected>', 'value="31"', 'value="a&#34;b"'):
        assert kept in answer.text


async def test_an_account_is_put_on_a_plan_now_or_at_midnight_of_a_day_to_come_in_its_own_zone(
    portal: Installation,
) -> None:
    account_id = await opened(portal)
    operator = visitors.operator(portal)
    path = f"/operator/accounts/{account_id}"
    answer = await operator.post(f"{path}/plan", {"plan": "tiered", "starts_on": ""})
    assert answer.headers["location"] == f"{path}?done=assigned"
    await operator.post(f"{path}/plan", {"plan": "digits-only", "starts_on": "2026-04-01"})
    (to_come,) = portal.services.plans.to_come(account_id)
    assert to_come.starts_at.isoformat() == "2026-03-31T18:15:00+00:00"
    page = text_of(await operator.get(f"{path}?done=assigned"))
    assert "The account is put on the plan." in page
    assert "On version 1 of the plan tiered" in page
    assert "00:00:00 (Asia/Kathmandu) on the plan digits-only" in page


@pytest.mark.parametrize(
    ("form", "status", "text"),
    [
        ({"plan": "payg", "starts_on": "2026-03-01"}, 400, "A plan begins now or later"),
        ({"plan": "nothing"}, 404, "There is no plan of that key."),
        ({"plan": "payg", "starts_on": "9999-12-31"}, 400, "This is no date, or one too far away."),
        ({"plan": "payg", "starts_on": "soon"}, 400, "This is no date, or one too far away."),
    ],
)
async def test_a_wrong_assignment_changes_nothing(
    portal: Installation, form: dict[str, str], status: int, text: str
) -> None:
    account_id = visitors.account(portal, plan="tiered")
    answer = await visitors.operator(portal).post(f"/operator/accounts/{account_id}/plan", form)
    assert answer.status_code == status
    assert text in text_of(answer)
    assert f'value="{form.get("starts_on", "")}"' in answer.text
    plan = portal.services.plans.in_effect(account_id, portal.clock.now())
    assert plan
    assert plan.plan_key == "tiered"


async def test_an_account_shows_its_members_keys_usage_and_charges(portal: Installation) -> None:
    member = visitors.member(portal, Role.BILLING)
    tenant = portal.another_key(member.account_id, name="a <key>")
    assert (await portal.predict(tenant, [ROW] * 999)).status_code == 200
    portal.clock.advance(timedelta(days=1))
    assert (await portal.predict(tenant)).status_code == 200
    page = text_of(await visitors.operator(portal).get(f"/operator/accounts/{member.account_id}"))
    assert f"{member.user.email} billing" in page
    assert "a <key>" in page
    assert "linear 2 1,000" in page  # of the month, not day by day
    assert "Charges of this period so far 0.01 USD" in page
    assert tenant.secret not in page


async def test_a_key_is_revoked_by_a_form_and_the_log_names_the_operator(portal: Installation) -> None:
    tenant = portal.tenant()
    operator = visitors.operator(portal)
    path = f"/operator/accounts/{tenant.account_id}"
    answer = await operator.post(f"{path}/keys/{tenant.key_id}/revoke")
    assert answer.headers["location"] == f"{path}?done=revoked"
    assert portal.services.accounts.get_key(tenant.account_id, tenant.key_id).revoked_at
    page = await operator.get(f"{path}?done=revoked")
    assert "The key is revoked." in text_of(page)
    assert f"{tenant.key_id}/revoke" not in page.text
    entry = log(portal, tenant.account_id)[0]
    users = portal.services.accounts.users([entry.actor.id])
    assert (entry.action, users[entry.actor.id].email) == ("key.revoked", OPERATOR[0])


async def test_a_key_of_another_account_is_not_found(portal: Installation) -> None:
    mine, other = portal.tenant(), portal.tenant()
    answer = await visitors.operator(portal).post(f"/operator/accounts/{mine.account_id}/keys/{other.key_id}/revoke")
    assert answer.status_code == 404
    assert portal.services.accounts.get_key(other.account_id, other.key_id).revoked_at is None


async def test_members_are_invited_in_a_role_and_not_twice_over(portal: Installation) -> None:
    member = visitors.member(portal)
    operator = visitors.operator(portal)
    path = f"/operator/accounts/{member.account_id}/invitations"
    assert (await operator.post(path, {"email": "dev@example.test", "role": "developer"})).status_code == 303
    (invitation,) = portal.services.members.invitations(member.account_id)
    assert (invitation.email, invitation.role) == ("dev@example.test", Role.DEVELOPER)
    refused = await operator.post(path, {"email": member.user.email, "role": "developer"})
    assert refused.status_code == 409
    assert "This address belongs to a member already." in text_of(refused)
    assert (await operator.post(path, {"email": "x@example.test", "role": "emperor"})).status_code == 400


@pytest.mark.parametrize("path", ["/operator/accounts/acct_0", "/operator/accounts/nothing", "/operator/plans/nothing"])
async def test_what_nobody_made_is_not_found(portal: Installation, path: str) -> None:
    assert (await visitors.operator(portal).get(path)).status_code == 404


async def test_an_owner_cannot_send_the_forms_of_operators(portal: Installation) -> None:
    owner = visitors.member(portal)
    path = f"/operator/accounts/{owner.account_id}"
    for form_path, form in [
        ("/operator/accounts", NEW),
        (f"{path}/plan", {"plan": "digits-only"}),
        (f"{path}/invitations", {"email": "x@example.test"}),
        ("/operator/plans", {"toml": "x"}),
        ("/operator/invoice-runs", {"month": "2026-02"}),
    ]:
        assert (await owner.post(form_path, form)).status_code == 403
    plan = portal.services.plans.in_effect(owner.account_id, portal.clock.now())
    assert plan
    assert plan.plan_key == "payg"
