"""An account that is opened for somebody else: it and the invitation of its owner, or neither."""

from typing import Any

import pytest

from app.audit_log.actor import Actor, ActorKind
from app.audit_log.store import list_entries
from app.errors import AppError
from app.members.role import Role
from tests.members.people import People

OPERATOR = Actor(ActorKind.USER, "user_operator", "192.0.2.1")
FACTS: dict[str, Any] = {
    "currency": "USD",
    "zone": "Asia/Kathmandu",
    "anchor_day": 1,
    "plan_key": None,
    "owner_email": "Ada@example.test",
    "by": OPERATOR,
    "language": "en",
}


def test_the_owner_is_invited_with_the_account_and_both_are_in_the_log(people: People) -> None:
    account = people.members.open_account("Ada & Co", **FACTS)
    (invitation,) = people.members.invitations(account.id)
    assert (invitation.email, invitation.role) == ("ada@example.test", Role.OWNER)
    with people.database.reading() as session:
        entries = list_entries(session, account_id=account.id, before=None, limit=10)
    assert [(entry.action, entry.actor) for entry in entries] == [
        ("member.invited", OPERATOR),
        ("account.created", OPERATOR),
    ]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"plan_key": "nothing"}, "plan_not_found"),
        ({"owner_email": "nobody"}, "email_invalid"),
        ({"zone": "Mars/Base"}, "invalid"),
    ],
)
def test_a_mistake_opens_nothing_and_mails_nobody(people: People, wrong: dict[str, Any], code: str) -> None:
    before = people.accounts.list_accounts()
    with pytest.raises(AppError) as refused:
        people.members.open_account("Ada & Co", **(FACTS | wrong))
    assert refused.value.code == code
    assert people.accounts.list_accounts() == before
    with people.database.reading() as session:
        assert list_entries(session, account_id=None, before=None, limit=10) == []
