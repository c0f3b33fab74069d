"""Names that a spreadsheet would run as a formula, in every CSV file that a page or the interface offers."""

import csv
import io

import pytest

from app.spreadsheet import csv_line
from tests.api.installation import ROW, Installation
from tests.portal import visitors
from tests.portal.locks.callers import forms_token

STARTS = ["=", "+", "-", "@", "\t", "\r"]
FORMULA = "cmd|' /C calc'!A0"


@pytest.mark.parametrize("first", STARTS)
def test_a_cell_that_begins_like_a_formula_is_text(first: str) -> None:
    (row,) = csv.reader(io.StringIO(csv_line([first + FORMULA, f"plain {first}"]), newline=""))
    assert row == [f"'{first}{FORMULA}", f"plain {first}"]


async def test_no_file_of_the_portal_holds_a_formula(portal: Installation) -> None:
    """Tries to run a command on the computer of whoever opens the file: by the names of accounts, keys and models."""
    owner = visitors.member(portal)
    for index, start in enumerate(STARTS):
        await owner.post("/app/settings", {"name": f"{start}{FORMULA}"})
        form = {"csrf": forms_token(owner), "name": f"{start}{FORMULA}{index}", "mode": "live", "scopes": ["predict"]}
        await owner.http.post("/app/keys", data=form)
        key = portal.another_key(owner.account_id, name=f"={FORMULA}{index}")
        assert (await portal.predict(key, [ROW], Idempotency_Key=f"={FORMULA}{index}")).status_code == 200
    invoices = await owner.get("/app/invoices")
    files = ["/app/usage.csv?group=key", "/app/usage.csv?group=model", "/app/usage/events.csv"]
    assert invoices.status_code == 200
    for path in files:
        assert_no_formula((await owner.get(path)).text)
    answer = await portal.http.get("/v1/usage/events.csv", headers=portal.another_key(owner.account_id).headers)
    assert_no_formula(answer.text)


def assert_no_formula(text: str) -> None:
    rows = list(csv.reader(io.StringIO(text, newline="")))
    assert len(rows) > 1
    assert [cell for row in rows for cell in row if cell.startswith(tuple(STARTS))] == []


@pytest.mark.parametrize("first", [*STARTS, "%0d", "|"])
async def test_a_plan_and_a_model_cannot_be_called_like_a_formula(portal: Installation, first: str) -> None:
    """Tries to have an operator publish a formula that the customers' invoices would carry."""
    operator = visitors.operator(portal)
    plan = 'currency = "USD"\nbilling = "postpaid"\nbase_fee = "0"\n[[price]]\nmodel = "{}"\nmeter = "units"\n'
    plan += 'scheme = "per_unit"\nunit_price = "1"\n'
    escaped = first.replace("\t", "\\t").replace("\r", "\\r")
    refused = await operator.post("/operator/plans", {"toml": f'key = "{escaped}1+1"\n' + plan.format("*")})
    assert refused.status_code == 400
    key = {"name": "x", "mode": "test", "scopes": ["predict"], "models": [f"{first}1+1"]}
    member = visitors.member(portal)
    assert (await member.post("/app/keys", key)).status_code == 400
