"""Every list: what is no cursor of it is said to be none, and begins no page anywhere."""

import pytest

from tests.api.calling import call, id_of, ids_of
from tests.api.installation import Installation
from tests.api.problems import Expected, assert_problem
from tests.api.routes import OPERATOR_ONLY, ROUTES, Route


def lists_of(faremeter: Installation) -> list[Route]:
    """Return the routes whose query has a cursor, as the interface describes itself."""
    paths = faremeter.app.openapi()["paths"]
    return [
        route
        for route in ROUTES
        if route.method == "GET"
        and any(each["name"] == "cursor" for each in paths.get(route.path, {}).get("get", {}).get("parameters", ()))
    ]


HEX = "019a2f4c8d2a7b3e9f10aabbccddeeff"


@pytest.mark.parametrize(
    "cursor", ["garbage", "' or 1=1 --", "x" * 300, f"req_{HEX}", f"key_{HEX.upper()}", f"evt_{HEX[:-1]}", HEX]
)
async def test_what_is_no_cursor_is_refused_by_every_list(faremeter: Installation, cursor: str) -> None:
    tenant = faremeter.tenant()
    ids, operator = await ids_of(faremeter, tenant), faremeter.admin().headers
    lists = lists_of(faremeter)
    assert len(lists) == 15
    for route in lists:
        asked = Route("GET", route.path, route.needs, request={"params": {"cursor": cursor}})
        headers = operator if route.needs == OPERATOR_ONLY else tenant.headers
        answer = await call(faremeter, asked, ids, headers)
        assert answer.status_code == 422, (id_of(route), answer.text)
        assert_problem(answer, Expected(422, "invalid_cursor", "cursor"))
