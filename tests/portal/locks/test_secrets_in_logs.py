"""Canaries: passwords, keys, tokens of sessions, links and forms, looked for in whatever is written about them."""

import logging

import pytest
from sqlalchemy import select

from app.database import Base
from app.members.mailed_link import LinkPurpose
from tests.api.installation import ROW, Installation
from tests.portal import visitors
from tests.portal.browser import Browser
from tests.portal.locks.belongings import Belongings
from tests.portal.locks.callers import forget_limits, forms_token

PASSWORD = "canary-password-9c1f"
CLIENT = ("httpx", "httpcore")  # the browser of these tests writes a log of its own


async def leave_canaries(portal: Installation) -> dict[str, str]:
    """Use every kind of secret, well and badly; return them by name."""
    forget_limits(portal)
    member = visitors.member(portal)
    belongings = Belongings(portal, member.account_id, member)
    key = portal.another_key(member.account_id)
    reset = belongings.link_token(LinkPurpose.RESET, email=member.user.email, user_id=member.user.id)
    join = belongings.link_token(LinkPurpose.SIGN_UP)
    session, form = str(member.http.cookies["faremeter_session"]), forms_token(member)
    stranger = Browser(portal)
    await stranger.post("/login", {"email": member.user.email, "password": PASSWORD})
    await stranger.post(f"/reset/{'A' * 43}", {"password": PASSWORD})
    await stranger.get(f"/reset/{reset}")
    await stranger.get(f"/confirm-email/{reset}")
    await stranger.post(f"/reset/{reset}", {"password": "short"})
    await stranger.get(f"/join/{join}/further")
    await stranger.post(f"/join/{join}", {"password": PASSWORD})
    await member.get(f"/app/usage?zone={key.secret}")
    await member.get(f"/app/keys/{key.secret}")
    await member.get(f"/no-such-page/{key.secret}")
    await member.post("/app/keys", {"name": "x" * 101, "scopes": ["predict"], "surplus": PASSWORD})
    await member.post("/app/profile/password", {"old": PASSWORD, "new": "short"})
    await portal.predict(key, [ROW[:-1]])
    await portal.http.get(f"/v1/keys/{key.secret}", headers=key.headers)
    await portal.http.get("/v1/keys", headers={"Authorization": f"Bearer {key.secret}x"})
    await stranger.post(f"/reset/{reset}", {"password": PASSWORD})
    return {
        "password": PASSWORD,
        "key": key.secret,
        "session": session,
        "form": form,
        "reset link": reset,
        "link to join": join,
    }


async def test_no_secret_is_in_any_line_of_the_log(
    portal: Installation, capfd: pytest.CaptureFixture[str], caplog: pytest.LogCaptureFixture
) -> None:
    """Tries to find a secret where an operator, or whoever collects the logs, would read it."""
    with caplog.at_level(logging.DEBUG):
        secrets = await leave_canaries(portal)
    ours = [record for record in caplog.records if not record.name.startswith(CLIENT)]
    written = "".join(capfd.readouterr()) + "\n".join(record.getMessage() for record in ours)
    assert "refused" in written  # else nothing was captured
    assert [name for name, secret in secrets.items() if secret in written] == []


async def test_no_secret_is_in_the_database_but_in_mails_that_wait(portal: Installation) -> None:
    """Tries to find a secret in a copy of the database: hashes of tokens and passwords are all that it holds."""
    secrets = await leave_canaries(portal)
    with portal.services.database.reading() as session:
        for table in Base.metadata.sorted_tables:
            if table.name != "outgoing_mail":
                stored = str([tuple(row) for row in session.execute(select(table))])
                assert [name for name, secret in secrets.items() if secret in stored] == [], table.name


async def test_no_page_and_no_metric_shows_a_secret_again(portal: Installation) -> None:
    """Tries to read a key, a session or a link off a page or off the metrics."""
    member = visitors.member(portal)
    key, session = portal.another_key(member.account_id), str(member.http.cookies["faremeter_session"])
    paths = [
        "/app",
        "/app/keys",
        f"/app/keys/{key.key_id}",
        "/app/profile",
        "/app/audit-log",
        "/app/welcome",
        "/metrics",
    ]
    for path in paths:
        text = (await member.get(path)).text
        assert key.secret not in text
        assert session not in text


@pytest.mark.parametrize("parameter", ["token", "key", "api_key", "access_token", "authorization", "TOKEN"])
async def test_a_secret_in_an_address_is_refused_and_not_repeated(portal: Installation, parameter: str) -> None:
    """Tries to have a key accepted in a URL, where logs and histories keep it."""
    key = portal.tenant()
    for path in ("/app/usage", "/v1/usage", "/login"):
        answer = await portal.http.get(path, params={parameter: key.secret}, headers=key.headers)
        assert (answer.status_code, answer.json()["code"]) == (400, "key_in_query")
        assert key.secret not in answer.text
