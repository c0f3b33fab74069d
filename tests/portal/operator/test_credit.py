"""/operator/accounts/{id}/credit: credit is granted and paid back once for each form."""

import re

import httpx
import pytest

from app.ledger.credit_grant import GrantKind
from app.money import NANOS_PER_UNIT
from tests.api.installation import Installation
from tests.portal import visitors
from tests.portal.browser import text_of
from tests.portal.prepaid import prepaid_member

FORM = {"amount": "10.00", "kind": "paid", "priority": "50", "note": "Order <17>"}


def creation_ids_on(page: httpx.Response) -> list[str]:
    return re.findall(r'name="creation_id" value="([^"]+)"', page.text)


def path_of(account_id: str) -> str:
    return f"/operator/accounts/{account_id}/credit"


async def test_credit_is_granted_by_a_form_and_the_log_names_the_operator(portal: Installation) -> None:
    account_id, operator = visitors.account(portal, zone="Asia/Kathmandu"), visitors.another_operator(portal)
    form = {**FORM, "kind": "promotional", "priority": "7", "expires_on": "2026-04-01"}
    answer = await operator.post(path_of(account_id), form)
    assert answer.headers["location"] == f"{path_of(account_id)}?done=granted"
    (grant,) = portal.services.credits.grants(account_id)
    assert (grant.kind, grant.amount_nanos, grant.priority) == (GrantKind.PROMOTIONAL, 10 * NANOS_PER_UNIT, 7)
    assert grant.expires_at
    assert grant.expires_at.isoformat() == "2026-03-31T18:15:00+00:00"
    page = text_of(await operator.get(f"{path_of(account_id)}?done=granted"))
    assert "The credit is granted." in page
    assert "Available 10.00 USD" in page
    assert "Order <17>" in page
    assert "Credit granted +10.00 USD 10.00 USD" in page
    entry = portal.services.audit_log.list(account_id)[0]
    assert (entry.action, entry.actor.id) == ("credit.granted", operator.user.id)


async def test_a_form_that_is_sent_twice_grants_once(portal: Installation) -> None:
    account_id, operator = visitors.account(portal), visitors.operator(portal)
    form = {**FORM, "creation_id": creation_ids_on(await operator.get(path_of(account_id)))[-1]}
    for _ in range(2):
        assert (await operator.post(path_of(account_id), form)).status_code == 303
    assert portal.services.credits.balance(account_id).total_nanos == 10 * NANOS_PER_UNIT
    other = await operator.post(path_of(account_id), {**form, "amount": "11.00"})
    assert other.status_code == 422
    assert "This form has been sent before with another input." in text_of(other)
    assert form["creation_id"] not in creation_ids_on(other)
    assert (
        await operator.post(path_of(account_id), {**form, "creation_id": creation_ids_on(other)[-1]})
    ).status_code == 303
    assert portal.services.credits.balance(account_id).total_nanos == 20 * NANOS_PER_UNIT


@pytest.mark.parametrize(
    ("wrong", "text"),
    [
        ({"amount": "0"}, "An amount of credit is above zero"),
        ({"amount": "ten"}, "This is no amount."),
        ({"priority": "101"}, "An amount of credit is above zero"),
        ({"priority": "first"}, "This is no whole number."),
        ({"expires_on": "2026-03-01"}, "Credit expires in the future: choose a later day."),
        ({"expires_on": "soon"}, "This is no date"),
        ({"kind": "stolen"}, "The form is incomplete"),
    ],
)
async def test_a_wrong_form_grants_nothing_and_keeps_what_was_typed(
    portal: Installation, wrong: dict[str, str], text: str
) -> None:
    account_id, operator = visitors.account(portal), visitors.operator(portal)
    form = {**FORM, "creation_id": "the-same", **wrong}
    answer = await operator.post(path_of(account_id), form)
    assert answer.status_code == 400
    assert text in text_of(answer)
    if "kind" not in wrong:
        assert "the-same" in creation_ids_on(answer)
        assert 'value="Order &lt;17&gt;"' in answer.text
    assert portal.services.credits.grants(account_id) == []


async def test_credit_is_paid_back_once_for_each_form_and_never_more_than_is_left(portal: Installation) -> None:
    person, operator = prepaid_member(portal, "10.00"), visitors.operator(portal)
    (grant,) = portal.services.credits.grants(person.account_id)
    path = f"{path_of(person.account_id)}/{grant.id}/refund"
    form = {"amount": "4", "creation_id": creation_ids_on(await operator.get(path_of(person.account_id)))[0]}
    for _ in range(2):
        answer = await operator.post(path, form)
        assert answer.headers["location"] == f"{path_of(person.account_id)}?done=refunded"
    assert portal.services.credits.balance(person.account_id).total_nanos == 6 * NANOS_PER_UNIT
    refused = await operator.post(path, {"amount": "6.01", "creation_id": "the-same"})
    assert refused.status_code == 409
    assert "This is more than may be paid back now." in text_of(refused)
    field = f"refund-{grant.id}"
    assert f'aria-describedby="{field}-problem {field}-hint"' in refused.text
    assert refused.text.count('value="6.01"') == refused.text.count(" is-invalid") == 1  # not beside the other form's
    assert "the-same" in creation_ids_on(refused)
    assert (await operator.post(path)).status_code == 303  # an empty field is all that is left
    assert portal.services.credits.balance(person.account_id).total_nanos == 0
    page = await operator.get(path_of(person.account_id))
    assert "10.00 USD paid back" in text_of(page)
    assert "/refund" not in page.text


async def test_a_gift_is_not_paid_back(portal: Installation) -> None:
    account_id, operator = visitors.account(portal), visitors.operator(portal)
    grant = portal.services.credits.grant(account_id, amount_nanos=NANOS_PER_UNIT, kind=GrantKind.PROMOTIONAL)
    assert "/refund" not in (await operator.get(path_of(account_id))).text
    answer = await operator.post(f"{path_of(account_id)}/{grant.id}/refund")
    assert (answer.status_code, "Only credit that was paid for" in text_of(answer)) == (409, True)


async def test_a_grant_of_another_account_is_not_found(portal: Installation) -> None:
    mine, operator = visitors.account(portal), visitors.operator(portal)
    theirs = prepaid_member(portal, "1.00").account_id
    (grant,) = portal.services.credits.grants(theirs)
    assert (await operator.post(f"{path_of(mine)}/{grant.id}/refund")).status_code == 404
    assert portal.services.credits.balance(theirs).total_nanos == NANOS_PER_UNIT
