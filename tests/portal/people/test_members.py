"""The people of an account, as its page shows and changes them."""

import pytest

from app.members.role import Role
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import text_of
from tests.portal.mailbox import link_to, new_email


def newest_action(portal: Installation, account_id: str) -> tuple[str, str]:
    entry = portal.services.audit_log.list(account_id)[0]
    return entry.action, entry.actor.id


async def test_an_owner_invites_and_takes_back(portal: Installation) -> None:
    owner, email = visitors.member(portal), new_email("guest")
    answer = await owner.post("/app/members/invite", {"email": email, "role": "billing"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/members?done=invited")
    assert newest_action(portal, owner.account_id) == ("member.invited", owner.user.id)
    assert f"{email} billing" in text_of(await owner.get("/app/members"))

    link = await link_to(portal, email, "join")
    (invitation,) = portal.services.members.invitations(owner.account_id)
    cancel = f"/app/members/invitations/{invitation.id}/cancel"
    assert (await visitors.member(portal).post(cancel)).status_code == 404
    assert (await owner.post(cancel)).headers["location"] == "/app/members?done=cancelled"
    assert newest_action(portal, owner.account_id) == ("member.invitation_cancelled", owner.user.id)
    assert email not in (await owner.get("/app/members")).text
    assert (await owner.get(link)).status_code == 404
    again = await owner.post(cancel)
    assert (again.status_code, "This invitation is not open any more." in text_of(again)) == (404, True)


async def test_an_owner_changes_a_role_and_the_session_gets_a_new_token(portal: Installation) -> None:
    owner = visitors.member(portal)
    somebody = visitors.member(portal, Role.VIEWER, owner.account_id)
    assert (await somebody.get("/app/settings")).status_code == 403
    token = somebody.http.cookies["faremeter_session"]
    answer = await owner.post(f"/app/members/{somebody.user.id}/role", {"role": "owner"})
    assert answer.headers["location"] == "/app/members?done=role"
    assert newest_action(portal, owner.account_id) == ("member.role_changed", owner.user.id)
    assert (await somebody.get("/app/settings")).status_code == 200
    assert somebody.http.cookies["faremeter_session"] != token


async def test_a_removed_member_sees_the_account_no_more(portal: Installation) -> None:
    owner = visitors.member(portal)
    somebody = visitors.member(portal, Role.DEVELOPER, owner.account_id)
    answer = await owner.post(f"/app/members/{somebody.user.id}/remove")
    assert answer.headers["location"] == "/app/members?done=removed"
    assert newest_action(portal, owner.account_id) == ("member.removed", owner.user.id)
    page = await somebody.get("/app/members")
    assert (page.status_code, "You are a member of no account." in text_of(page)) == (403, True)
    again = await owner.post(f"/app/members/{somebody.user.id}/remove")
    assert (again.status_code, "This person is not a member any more." in text_of(again)) == (404, True)


async def test_an_owner_may_leave_to_another_owner(portal: Installation) -> None:
    owner = visitors.member(portal)
    visitors.member(portal, Role.OWNER, owner.account_id)
    assert (await owner.post(f"/app/members/{owner.user.id}/remove")).headers["location"] == "/app"
    assert portal.services.members.membership(owner.user.id, owner.account_id) is None


@pytest.mark.parametrize(("action", "form"), [("role", {"role": "viewer"}), ("remove", {})])
async def test_the_last_owner_stays(portal: Installation, action: str, form: dict[str, str]) -> None:
    owner = visitors.member(portal)
    answer = await owner.post(f"/app/members/{owner.user.id}/{action}", form)
    assert (answer.status_code, "An account keeps an owner." in text_of(answer)) == (409, True)
    assert portal.services.members.membership(owner.user.id, owner.account_id)


async def test_what_is_wrong_with_an_invitation_is_said(portal: Installation) -> None:
    owner = visitors.member(portal)
    member = await owner.post("/app/members/invite", {"email": owner.user.email, "role": "viewer"})
    assert (member.status_code, owner.user.email in member.text) == (409, True)
    nobody = await owner.post("/app/members/invite", {"email": "nobody", "role": "viewer"})
    assert (nobody.status_code, 'value="nobody"' in nobody.text) == (400, True)
    assert (await owner.post("/app/members/invite", {"email": "a@b.test", "role": "king"})).status_code == 400
    mass = {"email": "a@b.test", "role": "viewer", "account_id": visitors.account(portal)}
    assert (await owner.post("/app/members/invite", mass)).status_code == 400
    assert portal.services.members.invitations(owner.account_id) == []


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.BILLING, Role.VIEWER])
async def test_who_may_only_look_finds_no_form(portal: Installation, role: Role) -> None:
    owner = visitors.member(portal)
    somebody = visitors.member(portal, role, owner.account_id)
    page = await somebody.get("/app/members")
    assert owner.user.email in page.text
    assert "/app/members/" not in page.text
    assert (await somebody.post("/app/members/invite", {"email": "a@b.test", "role": "owner"})).status_code == 403
    assert (await somebody.post(f"/app/members/{somebody.user.id}/role", {"role": "owner"})).status_code == 403
    assert (await somebody.post(f"/app/members/{owner.user.id}/remove")).status_code == 403
    assert portal.services.members.membership(owner.user.id, owner.account_id)


async def test_members_of_another_account_are_out_of_reach(portal: Installation) -> None:
    owner, stranger = visitors.member(portal), visitors.member(portal)
    assert stranger.user.email not in (await owner.get("/app/members")).text
    assert (await owner.post(f"/app/members/{stranger.user.id}/role", {"role": "viewer"})).status_code == 404
    assert (await owner.post(f"/app/members/{stranger.user.id}/remove")).status_code == 404
