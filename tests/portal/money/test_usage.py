"""/app/usage: everything that is asked stands in the address, and everything that is shown comes from one query.

That its sums are those of the API, the CSV files and SQL is told by tests/api/test_usage_sources.py.
"""

import html
import re
from datetime import timedelta

import httpx
import pytest

from app.metering.usage_event import Outcome
from tests.api.installation import Installation
from tests.builders import make_event, record_usage
from tests.installation_fixtures import NOON
from tests.portal.browser import text_of
from tests.portal.visitors import Member, account, member

WEIRD_NAME = "<script>alert(1)</script>"


def use(portal: Installation, account_id: str, **fields: object) -> None:
    """Record one call at noon, or where the fields say."""
    plan = portal.services.plans.in_effect(account_id, portal.clock.now())
    assert plan
    values = {"account_id": account_id, "plan_version_id": plan.id, "occurred_at": NOON, **fields}
    record_usage(portal.services.database, make_event(**values))  # type: ignore[arg-type]  # fields of every kind


def used(portal: Installation) -> Member:
    """Return somebody whose account has called two models with two keys, and failed once."""
    person = member(portal, account_id=account(portal, zone="Asia/Shanghai"))
    keys = [
        portal.services.accounts.create_key(person.account_id, name=name).key.id for name in ("production", WEIRD_NAME)
    ]
    use(portal, person.account_id, key_id=keys[0], units=3)
    use(portal, person.account_id, key_id=keys[1], units=4, model="vgg16")
    use(portal, person.account_id, key_id=keys[1], units=0, outcome=Outcome.FAILED)
    use(portal, person.account_id, key_id=keys[0], units=100, live=False)
    use(portal, person.account_id, key_id=keys[0], units=50, occurred_at=NOON - timedelta(days=20))
    return person


def figures(page: httpx.Response) -> dict[str, int]:
    return {name: int(total) for name, total in re.findall(r'data-metric="(\w+)" data-total="(\d+)"', page.text)}


def heads(page: httpx.Response) -> list[str]:
    """Return the heads of the columns that the chart draws."""
    return [html.unescape(name) for name in re.findall(r"<th[^>]* data-series>([^<]*)</th>", page.text)]


async def test_the_figures_are_of_live_keys_in_the_zone_of_the_account(portal: Installation) -> None:
    person = used(portal)
    page = await person.get("/app/usage")
    assert figures(page) == {"requests": 3, "units": 57, "compute_ms": 6, "results": 0, "failed": 1}
    assert "14 Feb – 15 Mar 2026 · Asia/Shanghai" in text_of(page)  # noqa: RUF001 - an en dash is meant
    assert heads(page) == ["linear", "vgg16"]


async def test_what_is_asked_is_kept_while_something_else_is_changed(portal: Installation) -> None:
    person = used(portal)
    page = await person.get("/app/usage?metric=units&group=key&range=today&zone=UTC&keys=live")
    addresses = {html.unescape(link) for link in re.findall(r'href="(/app/usage\?[^"]*)"', page.text)}
    for metric in ("requests", "failed"):
        assert f"/app/usage?metric={metric}&group=key&range=today&zone=UTC&keys=live" in addresses
    assert "/app/usage?metric=units&group=key&range=last_month&zone=UTC&keys=live" in addresses
    dates = "from=2026-03-15&to=2026-03-16"
    assert f"/app/usage?metric=units&group=key&range=custom&{dates}&zone=UTC&keys=live" in addresses


async def test_keys_are_called_by_their_names_and_nothing_in_them_runs(portal: Installation) -> None:
    page = await used(portal).get("/app/usage?group=key&metric=units&range=today")
    assert [name.rpartition(" …")[0] for name in heads(page)] == [WEIRD_NAME, "production"]
    assert WEIRD_NAME not in page.text


async def test_of_many_keys_those_that_did_least_share_a_column_and_the_file_names_each(portal: Installation) -> None:
    person = member(portal)
    for number in range(25):
        use(portal, person.account_id, key_id=f"key_{number:02d}", units=number + 1)
    page = await person.get("/app/usage?group=key&metric=units&range=today")
    assert heads(page) == [*(f"key_{number:02d}" for number in range(24, 4, -1)), "Others"]
    assert figures(page)["units"] == sum(map(int, re.findall(r'data-value="(\d+)"', page.text))) == 25 * 26 // 2
    assert len((await person.get("/app/usage.csv?group=key&range=today")).text.splitlines()) == 26


async def test_usage_of_test_keys_stands_apart(portal: Installation) -> None:
    page = await used(portal).get("/app/usage?keys=test")
    assert figures(page)["units"] == 100
    assert "test keys, never invoiced" in text_of(page)


async def test_without_groups_every_metric_has_a_column_and_one_is_drawn(portal: Installation) -> None:
    page = await used(portal).get("/app/usage?group=none&metric=failed&range=today")
    assert heads(page) == ["Failed calls"]
    assert page.text.count("data-value") == 5 * 21  # the hours of Shanghai until eight in the evening


async def test_rows_stand_newest_first_and_leave_out_what_is_to_come(portal: Installation) -> None:
    page = await used(portal).get("/app/usage?range=this_month&zone=UTC")
    days = re.findall(r'<th scope="row">(\w+ \d+ Mar)</th>', page.text)
    assert (days[0], days[-1], len(days)) == ("Sun 15 Mar", "Sun 1 Mar", 15)


async def test_other_dates_are_local_days_and_the_last_one_is_not_included(portal: Installation) -> None:
    person = used(portal)
    page = await person.get("/app/usage?range=custom&from=2026-02-20&to=2026-02-24&group=version")
    assert figures(page)["units"] == 50
    assert 'name="from" type="date" value="2026-02-20"' in page.text
    assert "20–23 Feb 2026" in text_of(page)  # noqa: RUF001 - an en dash is meant


@pytest.mark.parametrize(
    ("query", "text"),
    [
        ("range=custom&from=2026-03-02&to=2026-03-01", "The range is empty"),
        ("range=custom&from=soon", "This is no date."),
        ("range=custom&from=2026-03-01T00:07", "Usage is summed in quarters of an hour"),
        ("zone=Mars/Olympus", "There is no time zone of that name."),
        ("zone=../../etc/passwd", "There is no time zone of that name."),
    ],
)
async def test_a_range_that_is_none_is_said_above_the_filters(portal: Installation, query: str, text: str) -> None:
    person = member(portal)
    page = await person.get(f"/app/usage?{query}")
    assert (page.status_code, text in text_of(page)) == (400, True)
    assert "Group by" in text_of(page)
    assert figures(page) == {}
    assert (await person.get(f"/app/usage.csv?{query}")).status_code == 400
    assert (await person.get(f"/app/usage/events.csv?{query}")).status_code == 400


@pytest.mark.parametrize("query", ["metric=money", "group=account", "range=ever", "keys=all", "account=acct_1"])
async def test_what_the_page_does_not_know_is_refused(portal: Installation, query: str) -> None:
    assert (await member(portal).get(f"/app/usage?{query}")).status_code == 400


async def test_an_account_without_usage_is_told_what_to_do(portal: Installation) -> None:
    page = await member(portal).get("/app/usage")
    assert set(figures(page).values()) == {0}
    assert "Nothing to show in this range." in text_of(page)
    assert 'href="/app/playground"' in page.text
    assert 'id="usage-table"' not in page.text


async def test_the_files_hold_what_is_asked(portal: Installation) -> None:
    person = used(portal)
    sums = await person.get("/app/usage.csv?group=model&range=today")
    assert sums.headers["content-type"] == "text/csv; charset=utf-8"
    assert sums.headers["content-disposition"] == 'attachment; filename="usage-20260315-20260316.csv"'
    assert sums.text.splitlines()[1:] == [
        "2026-03-15T12:00:00Z,2026-03-15T20:00:00+08:00,linear,1,3,2,0,1",
        "2026-03-15T12:00:00Z,2026-03-15T20:00:00+08:00,vgg16,1,4,2,0,0",
    ]
    events = await person.get("/app/usage/events.csv?range=today")
    assert events.headers["content-disposition"] == 'attachment; filename="usage-events-20260315-20260316.csv"'
    assert len(events.text.splitlines()) == 4


async def test_nobody_sees_what_another_account_used(portal: Installation) -> None:
    used(portal)
    assert set(figures(await member(portal).get("/app/usage")).values()) == {0}
