"""/v1/keys: create, list, rotate, revoke; a key never gives more than it has."""

from typing import Any

import pytest

from app.accounts.account import Scope
from tests.api.installation import ALL_SCOPES, OPERATOR, Installation, json_of
from tests.api.problems import Expected, assert_problem

FIELDS = {"id", "name", "hint", "test", "scopes", "models", "created_at", "expires_at", "revoked_at"}
EXPIRY = "2027-01-31T00:00:00+01:00"


async def test_a_new_key_works_and_shows_its_secret_once(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    wanted = {"name": " laptop ", "scopes": ["predict"], "models": ["linear"], "expires_at": EXPIRY}
    response = await faremeter.http.post("/v1/keys", json=wanted, headers=tenant.headers)
    key = json_of(response)
    secret = key.pop("secret")
    assert response.status_code == 201
    assert key.keys() == FIELDS
    assert (key["name"], key["scopes"], key["models"], key["test"]) == ("laptop", ["predict"], ["linear"], False)
    assert (key["expires_at"], key["revoked_at"]) == ("2027-01-30T23:00:00Z", None)
    assert key["hint"] == f"fm_live_…{secret[-4:]}"
    shown = await faremeter.http.get(f"/v1/keys/{key['id']}", headers=tenant.headers)
    assert json_of(shown) == key
    assert secret not in shown.text
    call = await faremeter.http.post(
        "/v1/models/linear/predict", json={"inputs": [[0] * 10]}, headers={"X-API-Key": secret}
    )
    assert call.status_code == 200


async def test_keys_are_listed_page_by_page(faremeter: Installation) -> None:
    tenant = faremeter.tenant()
    made = [tenant.key_id] + [faremeter.another_key(tenant.account_id).key_id for _ in range(4)]
    faremeter.tenant()  # somebody else's key is on no page
    seen: list[str] = []
    cursor: str | None = ""
    pages = 0
    while cursor is not None:
        query = {"limit": "2", "cursor": cursor}
        page = json_of(await faremeter.http.get("/v1/keys", params=query, headers=tenant.headers))
        seen += [key["id"] for key in page["data"]]
        assert all(key.keys() == FIELDS for key in page["data"])
        cursor, pages = page["next_cursor"], pages + 1
    assert (sorted(seen), pages) == (sorted(made), 3)


@pytest.mark.parametrize("query", ["limit=0", "limit=101", "limit=x"])
async def test_a_page_has_bounds(faremeter: Installation, query: str) -> None:
    response = await faremeter.http.get(f"/v1/keys?{query}", headers=faremeter.tenant().headers)
    assert_problem(response, Expected(400, "invalid", query.partition("=")[0]))


async def test_a_rotated_key_has_the_same_rights_and_the_old_one_ends_after_its_grace(faremeter: Installation) -> None:
    manager = faremeter.tenant()
    old = faremeter.another_key(manager.account_id, scopes=frozenset({Scope.PREDICT}), models=frozenset({"linear"}))
    assert (await faremeter.predict(old)).status_code == 200
    url = f"/v1/keys/{old.key_id}/rotate"
    new = json_of(await faremeter.http.post(url, json={"grace_s": 600}, headers=manager.headers))
    assert (new["scopes"], new["models"]) == (["predict"], ["linear"])
    faremeter.poll_changes()
    assert (await faremeter.predict(old)).status_code == 200  # within its grace
    shown = json_of(await faremeter.http.get(f"/v1/keys/{old.key_id}", headers=manager.headers))
    assert shown["expires_at"] == "2026-03-15T12:10:00Z"
    at_once = f"/v1/keys/{new['id']}/rotate"
    newest = json_of(await faremeter.http.post(at_once, json={}, headers=manager.headers))
    faremeter.poll_changes()
    ended = await faremeter.http.get("/v1/models", headers={"X-API-Key": new["secret"]})
    assert_problem(ended, Expected(401, "unauthenticated"))
    assert (await faremeter.http.get("/v1/models", headers={"X-API-Key": newest["secret"]})).status_code == 200
    again = await faremeter.http.post(at_once, json={}, headers=manager.headers)
    assert_problem(again, Expected(409, "key_ended"))


async def test_a_revoked_key_is_refused_and_revoking_again_changes_nothing(faremeter: Installation) -> None:
    manager = faremeter.tenant()
    victim = faremeter.another_key(manager.account_id)
    assert (await faremeter.predict(victim)).status_code == 200
    url = f"/v1/keys/{victim.key_id}"
    first = json_of(await faremeter.http.delete(url, headers=manager.headers))
    assert first["revoked_at"] == "2026-03-15T12:00:00Z"
    faremeter.poll_changes()
    assert_problem(await faremeter.predict(victim), Expected(401, "unauthenticated"))
    assert json_of(await faremeter.http.delete(url, headers=manager.headers)) == first


ADMIN_SCOPES = {"scopes": frozenset({Scope.ADMIN}), "operator_email": OPERATOR[0]}
ESCALATIONS: dict[str, tuple[dict[str, Any], dict[str, Any], str]] = {
    "the scope admin": ({}, {"scopes": ["admin"]}, "scopes"),
    "a scope that the key lacks": ({"scopes": ALL_SCOPES}, {"scopes": ["predict", "admin"]}, "scopes"),
    "a default scope that the key lacks": (
        {"scopes": frozenset({Scope.KEYS_WRITE, Scope.PREDICT})},
        {"scopes": ["billing:read"]},
        "scopes",
    ),
    "a live key by a test key": ({"live": False}, {}, "test"),
    "every model by a key of one": ({"models": frozenset({"linear"})}, {}, "models"),
    "another model": ({"models": frozenset({"linear"})}, {"models": ["linear", "moody"]}, "models"),
}


@pytest.mark.parametrize(("mine", "wanted", "where"), ESCALATIONS.values(), ids=ESCALATIONS)
async def test_a_key_gives_no_more_than_it_has(
    faremeter: Installation, mine: dict[str, Any], wanted: dict[str, Any], where: str
) -> None:
    tenant = faremeter.tenant(**mine)
    response = await faremeter.http.post("/v1/keys", json=wanted, headers=tenant.headers)
    assert_problem(response, Expected(403, "scope_escalation", where, hint=False))
    listed = json_of(await faremeter.http.get("/v1/keys", headers=tenant.headers))["data"]
    assert [key["id"] for key in listed] == [tenant.key_id]


async def test_a_key_gives_by_default_what_it_has_of_the_usual_scopes(faremeter: Installation) -> None:
    tenant = faremeter.tenant(scopes=frozenset({Scope.KEYS_WRITE, Scope.PREDICT}))
    made = json_of(await faremeter.http.post("/v1/keys", json={}, headers=tenant.headers))
    assert made["scopes"] == ["predict"]


STRONGER: dict[str, dict[str, Any]] = {
    "an operator's key": ADMIN_SCOPES,
    "a live key": {},
    "a key of every model": {"live": False},
    "a key with a scope that the other lacks": {
        "live": False,
        "models": frozenset({"linear"}),
        "scopes": frozenset({Scope.BILLING_READ}),
    },
}


@pytest.mark.parametrize("theirs", STRONGER.values(), ids=STRONGER)
async def test_a_stronger_key_is_not_rotated(faremeter: Installation, theirs: dict[str, Any]) -> None:
    scopes = frozenset({Scope.KEYS_WRITE, Scope.PREDICT})
    manager = faremeter.tenant(live=False, models=frozenset({"linear"}), scopes=scopes)
    stronger = faremeter.another_key(manager.account_id, **theirs)
    response = await faremeter.http.post(f"/v1/keys/{stronger.key_id}/rotate", json={}, headers=manager.headers)
    assert response.status_code == 403
    assert response.json()["code"] == "scope_escalation"
    assert faremeter.services.authenticator.authenticate(stronger.secret).key_id == stronger.key_id


BAD_BODIES: dict[str, tuple[bytes, str]] = {
    "a foreign account": (b'{"account_id": "acct_1"}', "account_id"),
    "a ready-made id": (b'{"id": "key_1"}', "id"),
    "a user": (b'{"user_id": "user_1"}', "user_id"),
    "a secret of one's own": (b'{"secret": "fm_live_x"}', "secret"),
    "live instead of test": (b'{"live": true}', "live"),
    "an unknown scope": (b'{"scopes": ["predict", "root"]}', "scopes[1]"),
    "an empty name": (b'{"name": " "}', "name"),
    "a name of two lines": (b'{"name": "a\\nb"}', "name"),
    "a name of 200 characters": (b'{"name": "' + b"a" * 200 + b'"}', "name"),
    "a name with NUL": (b'{"name": "a\\u0000"}', "name"),
    "a lone surrogate as a name": (b'{"name": "\\ud800"}', "name"),
    "a number as a name": (b'{"name": 5}', "name"),
    "an empty model": (b'{"models": [""]}', "models[0]"),
    "two models in one": (b'{"models": ["linear", "a b"]}', "models[1]"),
    "101 models": (b'{"models": [' + b",".join([b'"m"'] * 101) + b"]}", "models"),
    "an expiry in the past": (b'{"expires_at": "2020-01-01T00:00:00Z"}', "expires_at"),
    "an expiry without zone": (b'{"expires_at": "2027-01-01T00:00:00"}', "expires_at"),
    "an expiry beyond the calendar": (b'{"expires_at": "9999-12-31T23:59:59-23:59"}', "expires_at"),
    "an expiry that is no instant": (b'{"expires_at": 1e30}', "expires_at"),
    "a list": (b"[]", "body"),
    "broken JSON": (b'{"name"', "body"),
    "JSON nested 10,000 deep": (b"[" * 10_000 + b"]" * 10_000, "body"),
    "bytes that are not UTF-8": (b'{"name": "\xff"}', "body"),
    "nothing": (b"", "body"),
    "a field named like a key": (b'{"fm_live_0123456789": 1}', "fm_live_[redacted]"),
}
CODES = {
    "an empty name": "name_invalid",
    "a name of 200 characters": "name_invalid",
    "an expiry in the past": "expiry_past",
}


@pytest.mark.parametrize("kind", BAD_BODIES)
async def test_a_bad_body_makes_no_key(faremeter: Installation, kind: str) -> None:
    body, where = BAD_BODIES[kind]
    tenant = faremeter.tenant()
    headers = tenant.headers | {"Content-Type": "application/json"}
    response = await faremeter.http.post("/v1/keys", content=body, headers=headers)
    assert_problem(response, Expected(400, CODES.get(kind, "invalid"), where))
    assert "0123456789" not in response.text
    assert len(json_of(await faremeter.http.get("/v1/keys", headers=tenant.headers))["data"]) == 1


async def test_a_body_that_streams_on_is_refused_by_its_size(faremeter: Installation) -> None:
    async def chunks() -> Any:
        for _ in range(40):
            yield b" " * 2**20

    response = await faremeter.http.post("/v1/keys", content=chunks(), headers=faremeter.tenant().headers)
    assert_problem(response, Expected(413, "body_too_large", "body"))


@pytest.mark.parametrize("grace", [-1, 604_801, 1.5, "x", None])
async def test_a_grace_has_bounds(faremeter: Installation, grace: Any) -> None:
    tenant = faremeter.tenant()
    url = f"/v1/keys/{tenant.key_id}/rotate"
    response = await faremeter.http.post(url, json={"grace_s": grace}, headers=tenant.headers)
    assert_problem(response, Expected(400, "invalid", "grace_s"))
