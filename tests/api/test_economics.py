"""/v1/admin/economics: for operators alone, a month at a time."""

from decimal import Decimal

import pytest

from tests.api.installation import ROW, Installation, Tenant, json_of
from tests.api.problems import Expected, assert_problem


@pytest.fixture
def operator(faremeter: Installation) -> Tenant:
    return faremeter.admin()


async def linear(faremeter: Installation, operator: Tenant, query: str) -> tuple[int, Decimal]:
    """Return the calls of the model `linear` and what they earned, in dollars."""
    report = json_of(await faremeter.http.get(f"/v1/admin/economics{query}", headers=operator.headers))
    lines = [line for line in report["models"] if (line["model"], line["currency"]) == ("linear", "USD")]
    return sum(line["calls"] for line in lines), sum((Decimal(line["earned"]) for line in lines), Decimal())


@pytest.mark.parametrize("query", ["", "?month=2026-03"])
async def test_a_month_shows_what_a_model_has_earned_by_now(
    faremeter: Installation, operator: Tenant, query: str
) -> None:
    calls, earned = await linear(faremeter, operator, query)
    assert (await faremeter.predict(faremeter.tenant(), [ROW] * 3)).status_code == 200
    assert await linear(faremeter, operator, query) == (calls + 1, earned + 3 * Decimal("0.00001"))


async def test_a_month_that_has_not_begun_or_is_none_is_a_problem(faremeter: Installation, operator: Tenant) -> None:
    for month, code in (("2026-04", "month_not_begun"), ("2026-13", "month_invalid"), ("", "month_invalid")):
        response = await faremeter.http.get("/v1/admin/economics", params={"month": month}, headers=operator.headers)
        assert_problem(response, Expected(400, code, "month"))
