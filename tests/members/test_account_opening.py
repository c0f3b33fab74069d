"""An account that is opened for somebody else: it and the invitation of its owner, or neither."""

from typing import Any

import pytest

from app.accounts.service import Accounts
from app.audit_log.actor import Actor, ActorKind
from app.errors import AppError
from app.members.role import Role
from tests.members.people import People

OPERATOR = Actor(ActorKind.KEY, "key_operator", "192.0.2.1")
FACTS: dict[str, Any] = {
    "currency": "USD",
    "zone": "Asia/Kathmandu",
    "anchor_day": 1,
    "plan_key": None,
    "owner_email": "Ada@example.test",
    "by": OPERATOR,
    "language": "en",
}


def test_the_owner_is_mailed_an_invitation_and_both_steps_are_in_the_log(people: People) -> None:
    account = people.members.open_account("Ada & Co", **FACTS)
    (invitation,) = people.members.invitations(account.id)
    assert (invitation.email, invitation.role) == ("ada@example.test", Role.OWNER)
    assert [mail["To"] for mail in people.mails()] == ["ada@example.test"]
    assert [(entry.action, entry.actor) for entry in people.audit_log.list(account.id)] == [
        ("member.invited", OPERATOR),
        ("account.created", OPERATOR),
    ]


def test_without_an_owner_nobody_is_mailed(people: People) -> None:
    account = people.members.open_account("Ada & Co", **(FACTS | {"owner_email": None}))
    assert people.members.invitations(account.id) == []
    assert people.mails() == []
    assert [entry.action for entry in people.audit_log.list(account.id)] == ["account.created"]


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        ({"plan_key": "nothing"}, "plan_not_found"),
        ({"plan_key": "payg"}, "plan_of_other_currency"),
        ({"owner_email": "nobody"}, "email_invalid"),
        ({"zone": "Mars/Base"}, "zone_unknown"),
    ],
)
def test_a_mistake_opens_nothing_and_mails_nobody(
    people: People, accounts: Accounts, wrong: dict[str, Any], code: str
) -> None:
    logged = people.audit_log.list()
    with pytest.raises(AppError) as refused:
        people.members.open_account("Ada & Co", **(FACTS | wrong))
    assert refused.value.code == code
    assert accounts.list_accounts() == []
    assert people.mails() == []
    assert people.audit_log.list() == logged
