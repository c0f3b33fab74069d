"""The account's audit log in words."""

import re
from datetime import UTC, datetime

import pytest
from sqlalchemy import text as text_clause

from app.audit_log.actor import INSTALLATION, Actor, ActorKind
from app.audit_log.entry import AuditEntry
from app.audit_log.store import record
from app.members.role import Role
from app.portal.frame.audit_text import AuditWords
from app.portal.frame.preferences import Language
from app.portal.frame.translations import translations
from tests.api.installation import OPERATOR, Installation
from tests.architecture.source_tree import ROOT
from tests.portal import visitors
from tests.portal.browser import text_of
from tests.portal.mailbox import new_email

_SUBJECTS = "account|credit|key|member|plan|invoice|invoices|user|password|email|identity|session"
_RECORDED = re.compile(rf'"((?:{_SUBJECTS})\.[a-z_]*(?:ed|in|out|run|set))"')


async def test_what_happened_is_told_in_words(portal: Installation) -> None:
    owner, services = visitors.member(portal), portal.services
    guest = new_email("guest")
    await owner.post("/app/members/invite", {"email": guest, "role": "billing"})
    await owner.post("/app/settings", {"name": "<i>New</i> name"})
    key = services.accounts.create_key(owner.account_id, name="ci", live=False, by=owner_actor(owner.user.id)).key
    services.accounts.revoke_key(owner.account_id, key.id, by=Actor(ActorKind.KEY, key.id))
    page = await owner.get("/app/audit-log")
    text = text_of(page)
    me = owner.user.email
    assert "The key ci Revoked the key ci" in text
    assert f"{me} Created the key ci test billing:read predict usage:read" in text
    assert f"{me} Renamed the account from Account" in text
    assert "to <i>New</i> name" in text
    assert "<i>New" not in page.text
    assert f"{me} Invited {guest} as billing" in text
    with services.database.transaction() as session:
        session.execute(text_clause("DELETE FROM mailed_links WHERE email = :email"), {"email": guest})
    assert f"{me} Invited somebody as billing" in text_of(await owner.get("/app/audit-log"))
    assert f"The installation itself Let {me} in as owner" in text
    assert "The installation itself Put the account on the plan payg" in text


async def test_an_operator_acts_without_a_name(portal: Installation) -> None:
    owner = visitors.member(portal)
    operator = visitors.operator(portal)
    await operator.post(f"/operator/accounts/{owner.account_id}/plan", {"plan": "digits-only"})
    page = text_of(await owner.get("/app/audit-log"))
    assert "An operator of the installation Put the account on the plan digits-only" in page
    assert OPERATOR[0] not in page


async def test_the_log_is_paged_and_no_other_account_is_in_it(portal: Installation) -> None:
    owner, other = visitors.member(portal), visitors.member(portal)
    with portal.services.database.transaction() as session:
        for number in range(60):
            facts = {"before": f"name {number}.", "after": f"name {number + 1}."}
            record(
                session,
                by=INSTALLATION,
                at=portal.clock.now(),
                action="account.renamed",
                target=owner.account_id,
                account_id=owner.account_id,
                **facts,
            )
    first = await owner.get("/app/audit-log")
    assert "from name 59. to name 60." in text_of(first)
    assert "from name 9. to name 10." not in text_of(first)
    (older,) = re.findall(r"/app/audit-log\?before=aud_\w+", first.text)
    second = text_of(await owner.get(older))
    assert "from name 9. to name 10." in second
    assert "Opened the account" in second
    assert "Older entries" not in second
    assert "name 9." not in text_of(await other.get("/app/audit-log"))


@pytest.mark.parametrize("role", [Role.DEVELOPER, Role.BILLING, Role.VIEWER])
async def test_only_an_owner_reads_the_log(portal: Installation, role: Role) -> None:
    assert (await visitors.member(portal, role).get("/app/audit-log")).status_code == 403


@pytest.mark.parametrize("language", Language)
def test_every_action_that_is_recorded_has_words(language: Language) -> None:
    sources = [file for file in (ROOT / "app").rglob("*.py") if "portal" not in file.parts]
    actions = {action for file in sources for action in _RECORDED.findall(file.read_text())}
    assert {"account.renamed", "key.created", "member.role_changed", "invoice.issued"} <= actions
    words = AuditWords(translations(language), people={}, members=frozenset(), keys={}, invitees={})
    for action in actions:
        assert action not in words.sentence(entry_of(action)), action


def entry_of(action: str) -> AuditEntry:
    names = ("name", "email", "role", "before", "after", "plan", "number", "version", "issuer")
    return AuditEntry(
        "aud_1", datetime(2026, 3, 15, tzinfo=UTC), INSTALLATION, action, "x", None, dict.fromkeys(names, "y")
    )


def owner_actor(user_id: str) -> Actor:
    return Actor(ActorKind.USER, user_id, "127.0.0.1")
