"""/app/keys: secrets are shown once, nobody makes a key that can do more than the own role, and ends are confirmed."""

import re
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest

from app.accounts.account import ApiKey, Scope
from app.audit_log.actor import INSTALLATION, ActorKind
from app.members.role import Role
from app.portal.money import keys as keys_page
from tests.api.installation import OPERATOR, ROW, Installation
from tests.builders import make_event, record_usage
from tests.installation_fixtures import NOON
from tests.portal.browser import text_of
from tests.portal.visitors import Member, account, member

_SECRET = re.compile(r"fm_(?:live|test)_[0-9A-Za-z]{38}")
WEIRD_NAME = "<b onmouseover=alert(1)>=1+1"


def key_of(person: Member, **fields: Any) -> str:
    """Make a key of the person's account."""
    key: ApiKey = person.installation.services.accounts.create_key(person.account_id, **fields).key
    return key.id


def secret_on(page: httpx.Response) -> str:
    found: set[str] = set(_SECRET.findall(page.text))
    assert len(found) == 1
    return found.pop()


async def test_a_key_is_made_by_a_form_and_its_secret_shown_this_once(portal: Installation) -> None:
    person = member(portal, Role.DEVELOPER)
    assert "No key works now." in text_of(await person.get("/app/keys"))
    form = {"name": "Server", "mode": "live", "scopes": ["predict", "usage:read"], "models": ["linear"]}
    page = await person.post("/app/keys", form)
    assert (page.status_code, page.headers["cache-control"]) == (201, "no-store")
    secret = secret_on(page)
    [key] = portal.services.accounts.list_keys(person.account_id)
    assert (key.name, key.live, key.models) == ("Server", True, frozenset({"linear"}))
    assert key.scopes == {Scope.PREDICT, Scope.USAGE_READ}
    for path in ("/app/keys", f"/app/keys/{key.id}", "/app"):
        shown = await person.get(path)
        assert key.hint in shown.text
        assert secret not in shown.text
    headers = {"Authorization": f"Bearer {secret}"}
    answer = await portal.http.post("/v1/models/linear/predict", json={"inputs": [ROW]}, headers=headers)
    assert answer.status_code == 200


def creation_id_on(page: httpx.Response) -> str:
    [found] = re.findall(r'name="creation_id" value="([^"]+)"', page.text)
    return str(found)


async def test_a_form_that_is_sent_again_makes_no_other_key(portal: Installation) -> None:
    person = member(portal)
    form = {"name": "Server", "scopes": ["predict"], "creation_id": creation_id_on(await person.get("/app/keys/new"))}
    secret = secret_on(await person.post("/app/keys", form))
    again = await person.post("/app/keys", form)
    assert (again.status_code, secret in again.text) == (409, False)
    assert "This form has made its key already" in text_of(again)
    assert len(portal.services.accounts.list_keys(person.account_id)) == 1
    assert (await person.post("/app/keys", {**form, "creation_id": creation_id_on(again)})).status_code == 201


async def test_a_key_that_is_rotated_again_by_the_same_form_has_one_successor(portal: Installation) -> None:
    person = member(portal)
    key_id = key_of(person)
    form = {"grace_s": "3600", "creation_id": creation_id_on(await person.get(f"/app/keys/{key_id}"))}
    assert (await person.post(f"/app/keys/{key_id}/rotate", form)).status_code == 201
    again = await person.post(f"/app/keys/{key_id}/rotate", form)
    assert again.status_code == 409
    assert not _SECRET.search(again.text)
    assert len(portal.services.accounts.list_keys(person.account_id)) == 2


async def test_a_key_that_may_do_nothing_is_refused_and_the_form_kept(portal: Installation) -> None:
    person = member(portal)
    page = await person.post("/app/keys", {"name": "Idle", "creation_id": "one"})
    assert page.status_code == 400
    assert "Choose what the key may do" in text_of(page)
    assert 'value="Idle"' in page.text
    assert creation_id_on(page) == "one"
    assert portal.services.accounts.list_keys(person.account_id) == []


async def test_who_made_a_key_stands_in_the_audit_log(portal: Installation) -> None:
    person = member(portal)
    await person.post("/app/keys", {"name": "Logged", "scopes": ["predict"]})
    [entry] = [
        each for each in portal.services.audit_log.list(account_id=person.account_id) if each.action == "key.created"
    ]
    assert (entry.actor.kind, entry.actor.id) == (ActorKind.USER, person.user.id)
    assert entry.details["name"] == "Logged"


async def test_a_name_is_text_wherever_it_is_shown(portal: Installation) -> None:
    person = member(portal)
    page = await person.post("/app/keys", {"name": WEIRD_NAME, "scopes": ["predict"]})
    [key] = portal.services.accounts.list_keys(person.account_id)
    for shown in (page, *[await person.get(path) for path in ("/app", "/app/keys", f"/app/keys/{key.id}")]):
        assert WEIRD_NAME in text_of(shown) or "&lt;b onmouseover" in shown.text
        assert "<b onmouseover" not in shown.text


async def test_a_key_expires_when_the_chosen_day_begins_in_the_visitors_zone(portal: Installation) -> None:
    person = member(portal, account_id=account(portal, zone="Asia/Shanghai"))
    assert (
        await person.post("/app/keys", {"name": "Until May", "expires_on": "2026-05-01", "scopes": ["predict"]})
    ).status_code == 201
    [key] = portal.services.accounts.list_keys(person.account_id)
    assert key.expires_at == datetime(2026, 4, 30, 16, tzinfo=UTC)


BAD_FORMS = {
    "no name": ({"name": " "}, 400, "A name has 1 to 100 characters on one line."),
    "a name of 150 characters": ({"name": "a" * 150}, 400, "A name has 1 to 100 characters on one line."),
    "a name of 300 characters": ({"name": "a" * 300}, 400, "A name has 1 to 100 characters on one line."),
    "a day that is none": ({"name": "x", "expires_on": "2026-02-30"}, 400, "This is no date, or one too far"),
    "a day before the calendar": (
        {"name": "x", "expires_on": "0001-01-01"},
        400,
        "This is no date, or one too far away.",
    ),
    "a day after the calendar": (
        {"name": "x", "expires_on": "9999-12-31"},
        400,
        "This is no date, or one too far away.",
    ),
    "a day in the past": ({"name": "x", "expires_on": "2026-03-14"}, 400, "A key expires in the future"),
    "a model that is not served": ({"name": "x", "models": ["nope"]}, 400, "There is no model of that name"),
    "the operators' scope": ({"name": "x", "scopes": ["admin"]}, 403, "A key can do no more than your role"),
}


@pytest.mark.parametrize(("form", "status", "text"), BAD_FORMS.values(), ids=BAD_FORMS)
async def test_what_is_wrong_with_a_form_stands_above_it(
    portal: Installation, form: dict[str, Any], status: int, text: str
) -> None:
    person = member(portal)
    page = await person.post("/app/keys", {"mode": "live", "scopes": ["predict"], **form})
    assert (page.status_code, text in text_of(page)) == (status, True), text_of(page)
    assert 'value="live" checked' in page.text
    assert f'name="name" type="text" value="{form["name"].strip()}"' in page.text
    assert portal.services.accounts.list_keys(person.account_id) == []


async def test_the_field_that_is_wrong_says_so_itself(portal: Installation) -> None:
    person = member(portal)
    page = (await person.post("/app/keys", {"name": "x", "scopes": ["predict"], "expires_on": "soon"})).text
    told = re.search(r'id="expires_on".*? value="soon".*? aria-invalid="true" aria-describedby="([^"]+)"', page)
    assert told
    assert told[1].split() == ["expires_on-problem", "expires_on-hint"]
    assert '<div class="invalid-feedback" id="expires_on-problem">This is no date' in page
    assert 'id="name-problem"' not in page


async def test_a_revocation_that_is_not_confirmed_comes_back_and_revokes_nothing(portal: Installation) -> None:
    person = member(portal)
    key_id = key_of(person)
    answer = await person.post(f"/app/keys/{key_id}/revoke")
    assert (answer.status_code, "Nothing was revoked" in text_of(answer)) == (400, True)
    assert f"/app/keys/{key_id}/revoke" in answer.text
    assert portal.services.accounts.get_key(person.account_id, key_id).revoked_at is None


@pytest.mark.parametrize("field", ["account_id", "user_id", "secret", "live", "id"])
async def test_a_field_that_the_form_does_not_have_is_refused(portal: Installation, field: str) -> None:
    person = member(portal)
    assert (await person.post("/app/keys", {"name": "x", field: "1"})).status_code == 400
    assert portal.services.accounts.list_keys(person.account_id) == []


async def test_a_developer_neither_makes_nor_rotates_a_key_that_reads_invoices(portal: Installation) -> None:
    person = member(portal, Role.DEVELOPER)
    assert "billing:read" not in (await person.get("/app/keys/new")).text
    assert (await person.post("/app/keys", {"name": "x", "scopes": ["billing:read"]})).status_code == 403
    key_id = key_of(person)  # the default scopes read invoices
    assert f"/app/keys/{key_id}/rotate" not in (await person.get(f"/app/keys/{key_id}")).text
    answer = await person.post(f"/app/keys/{key_id}/rotate", {"grace_s": "0"})
    assert (answer.status_code, "A key can do no more than your role" in text_of(answer)) == (403, True)
    assert len(portal.services.accounts.list_keys(person.account_id)) == 1


async def test_nobody_becomes_an_operator_by_rotating_an_operators_key(portal: Installation) -> None:
    person = member(portal)
    key_id = key_of(person, scopes=frozenset({Scope.ADMIN}), operator_email=OPERATOR[0])
    answer = await person.post(f"/app/keys/{key_id}/rotate", {"grace_s": "0"})
    assert answer.status_code == 403
    assert not _SECRET.search(answer.text)


async def test_a_rotated_key_works_on_for_the_grace(portal: Installation) -> None:
    person = member(portal)
    old_id = key_of(person, name="Server")
    page = await person.post(f"/app/keys/{old_id}/rotate", {"grace_s": "3600"})
    assert page.status_code == 201
    keys = portal.services.accounts.list_keys(person.account_id)
    old, new = sorted(keys, key=lambda key: key.id != old_id)  # both were made at the same instant
    assert secret_on(page)[-4:] == new.hint[-4:]
    assert (old.id, old.expires_at) == (old_id, NOON + timedelta(hours=1))
    assert f"The key that it replaces, {old.hint}, works until 15 Mar 2026, 13:00:00." in text_of(page)


async def test_a_key_that_has_ended_is_not_rotated(portal: Installation) -> None:
    person = member(portal)
    key_id = key_of(person)
    portal.services.accounts.revoke_key(person.account_id, key_id)
    answer = await person.post(f"/app/keys/{key_id}/rotate", {"grace_s": "0"})
    assert (answer.status_code, "The key has expired or was revoked." in text_of(answer)) == (409, True)
    assert "/rotate" not in answer.text
    assert (await person.post(f"/app/keys/{key_id}/rotate", {"grace_s": "604801"})).status_code == 400


async def test_the_playgrounds_own_key_has_no_secret_to_show(portal: Installation) -> None:
    person = member(portal)
    key = portal.services.accounts.playground_key(person.account_id, live=False, by=INSTALLATION)
    assert "/rotate" not in (await person.get(f"/app/keys/{key.id}")).text
    answer = await person.post(f"/app/keys/{key.id}/rotate", {"grace_s": "0"})
    assert (answer.status_code, "This is the playground's own key." in text_of(answer)) == (409, True)


async def test_a_revocation_is_confirmed_and_final(portal: Installation) -> None:
    person = member(portal)
    key_id = key_of(person, name="Leaked")
    assert (await person.post(f"/app/keys/{key_id}/revoke")).status_code == 400
    assert portal.services.accounts.get_key(person.account_id, key_id).revoked_at is None
    answer = await person.post(f"/app/keys/{key_id}/revoke", {"confirmed": "yes"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/app/keys?done=revoked")
    page = text_of(await person.get("/app/keys?done=revoked"))
    assert "The key is revoked" in page
    assert "1 key that has ended" in page
    assert portal.services.accounts.get_key(person.account_id, key_id).revoked_at == NOON


async def test_a_page_of_keys_is_bounded_and_says_how_many_there_are(
    portal: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    person = member(portal)
    names = [f"number {number}" for number in range(4)]
    for name in names:
        key_of(person, name=name)
    monkeypatch.setattr(keys_page, "KEYS_MAX", 3)
    page = text_of(await person.get("/app/keys"))
    assert sum(name in page for name in names) == 3
    assert "Of 4 keys that work the newest 3 are shown" in page


async def test_a_key_says_when_it_was_last_used(portal: Installation) -> None:
    person = member(portal)
    used, idle = key_of(person, name="used"), key_of(person, name="idle")
    event = make_event(account_id=person.account_id, key_id=used, occurred_at=NOON - timedelta(minutes=20))
    record_usage(portal.services.database, event)
    assert "15 Mar 2026, 11:30:00, to the quarter of an hour" in text_of(await person.get(f"/app/keys/{used}"))
    assert "Last used never" in text_of(await person.get(f"/app/keys/{idle}"))


@pytest.mark.parametrize("role", [Role.VIEWER, Role.BILLING])
async def test_who_may_only_look_finds_no_form(portal: Installation, role: Role) -> None:
    person = member(portal, role)
    key_id = key_of(person)
    listed, shown = await person.get("/app/keys"), await person.get(f"/app/keys/{key_id}")
    assert "/app/keys/new" not in listed.text
    assert f"/app/keys/{key_id}/" not in shown.text
    assert (await person.get("/app/keys/new")).status_code == 403
    assert (await person.post(f"/app/keys/{key_id}/revoke", {"confirmed": "yes"})).status_code == 403
    assert (await person.post("/app/keys", {"name": "x"})).status_code == 403
    assert portal.services.accounts.get_key(person.account_id, key_id).revoked_at is None


async def test_another_accounts_key_does_not_exist(portal: Installation) -> None:
    person, stranger = member(portal), member(portal)
    key_id = key_of(stranger, name="Foreign")
    for answer in (
        await person.get(f"/app/keys/{key_id}"),
        await person.post(f"/app/keys/{key_id}/rotate", {"grace_s": "0"}),
        await person.post(f"/app/keys/{key_id}/revoke", {"confirmed": "yes"}),
    ):
        assert answer.status_code == 404
        assert "Foreign" not in answer.text
    assert portal.services.accounts.get_key(stranger.account_id, key_id).usable_at(NOON)
