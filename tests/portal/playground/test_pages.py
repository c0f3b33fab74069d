"""The playground: what a model's page says before a run, what a run brings, and that it is charged once."""

import asyncio
import html
import re
import threading
from typing import Any
from uuid import uuid4

import httpx
import pytest

from app.accounts.account import KeyPurpose
from app.charging.limits.rule import TEST_UNITS_PER_MINUTE_MAX
from app.members.role import Role
from app.portal.playground import pages
from app.portal.playground.pages import ROWS_CHARS_MAX
from app.portal.playground.submission import submission_of
from tests.api.gate import GATE
from tests.api.installation import ROW, Installation
from tests.api.pictures import picture
from tests.portal.browser import Browser, text_of
from tests.portal.visitors import Member, account, member

ROWS = ", ".join(map(str, ROW))
_KEY = re.compile(r'name="idempotency_key" value="([^"]+)"')


def form(**values: str) -> dict[str, str]:
    return {"mode": "test", "idempotency_key": str(uuid4()), "rows": ROWS, **values}


async def run(browser: Browser, model: str = "linear", **values: Any) -> httpx.Response:
    return await browser.post(f"/app/models/{model}/predict", form(**values))


def code_of(page: httpx.Response, language: str = "curl") -> str:
    found = re.search(rf'id="code-{language}"[^>]*>(.*?)</pre>', page.text, re.DOTALL)
    assert found
    return html.unescape(found[1])


async def test_the_first_page_is_that_of_a_model_that_can_be_tried(portal: Installation) -> None:
    page = await member(portal).get("/app/playground")
    assert "Diabetes progression" in page.text
    assert "0.038, 0.051, 0.062" in page.text  # the manifest's example
    assert "Live: 0.00001 USD for one row" in text_of(page)
    assert f"at most {TEST_UNITS_PER_MINUTE_MAX} units a minute" in text_of(page)
    assert "http://portal.example.test/v1/models/linear/predict" in code_of(page)


async def test_a_test_run_shows_the_answer_and_costs_nothing(portal: Installation) -> None:
    browser = member(portal)
    page = await run(browser)
    assert page.status_code == 200
    assert "progression 161.0" in text_of(page)
    assert "nothing: this was a test" in text_of(page)
    (event,) = portal.events(browser.account_id)
    assert (event.live, event.amount_nanos, event.delivered) == (False, 0, True)
    assert event.id in page.text


async def test_a_live_run_is_charged_to_the_key_of_the_playground(portal: Installation) -> None:
    browser = member(portal, Role.DEVELOPER)
    page = await run(browser, mode="live")
    assert "Charged 0.00001 USD" in text_of(page)
    (event,) = portal.events(browser.account_id)
    assert (event.live, event.amount_nanos) == (True, 10_000)
    key = portal.services.accounts.get_key(browser.account_id, event.key_id)
    assert key.purpose is KeyPurpose.PLAYGROUND
    made = [e for e in portal.services.audit_log.list(account_id=browser.account_id) if e.action == "key.created"]
    assert [(entry.target, entry.actor.id) for entry in made] == [(key.id, browser.user.id)]


async def test_a_double_click_is_charged_once_and_gets_one_answer(portal: Installation) -> None:
    browser = member(portal)
    twice = form(mode="live")
    first = await browser.post("/app/models/linear/predict", twice)
    second = await browser.post("/app/models/linear/predict", twice)
    assert "repeated: charged once" in text_of(second)
    (event,) = portal.events(browser.account_id)
    assert event.id in first.text
    assert event.id in second.text


async def test_the_next_press_of_the_button_is_a_new_call(portal: Installation) -> None:
    browser = member(portal)
    shown = _KEY.findall((await run(browser)).text)
    assert len(set(shown)) == 1
    await run(browser, idempotency_key=shown[0])
    assert len(portal.events(browser.account_id)) == 2


async def test_a_refused_call_keeps_what_was_sent_and_its_key(portal: Installation) -> None:
    browser = member(portal)
    page = await run(browser, rows="1, 2, <b>", idempotency_key="mine")
    assert page.status_code == 400
    assert "This is no row of numbers." in text_of(page)
    assert "inputs[0][2]" in text_of(page)
    assert "1, 2, &lt;b&gt;" in page.text
    assert _KEY.findall(page.text) == ["mine"]
    assert "Nothing was charged" in text_of(page)
    wrong = await run(browser, rows="1, 2")
    assert "The model cannot read this input." in text_of(wrong)
    assert "has 2 features, expected 10" in text_of(wrong)
    assert portal.events(browser.account_id) == []


async def test_several_rows_are_one_call_with_a_table_of_outputs(portal: Installation) -> None:
    browser = member(portal)
    page = await run(browser, rows=f"{ROWS}\n{ROWS}", mode="live")
    assert page.text.count("161.0</td>") == 2
    (event,) = portal.events(browser.account_id)
    assert (event.units, event.amount_nanos) == (2, 20_000)


async def test_the_code_is_that_of_the_call_that_was_made(portal: Installation) -> None:
    page = await run(member(portal), rows="1 2 3 4 5 6 7 8 9 10")
    for language in ("curl", "python", "javascript"):
        assert '{"inputs": [[1, 2, 3, 4, 5, 6, 7, 8, 9, 10]]}' in code_of(page, language)


async def test_the_code_of_very_many_rows_is_the_example(portal: Installation) -> None:
    browser = member(portal)
    for count, example in ((20, False), (21, True)):
        page = await run(browser, rows="\n".join(["1 2 3 4 5 6 7 8 9 10"] * count))
        assert page.status_code == 200
        assert ("[1, 2, 3," not in code_of(page), "0.038" in code_of(page)) == (example, example)


async def test_rows_have_an_end_by_their_text_and_by_their_body(portal: Installation) -> None:
    browser = member(portal)
    assert (
        await run(browser, rows="1, " * (ROWS_CHARS_MAX // 3 + 1))
    ).status_code == 413  # a comma and a blank are 4 bytes of a form
    files = {"file": ("", b"", "application/octet-stream")}
    in_parts = form(rows="1 " * (ROWS_CHARS_MAX // 2 + 1))
    assert (await browser.post("/app/models/linear/predict", in_parts, files=files)).status_code == 400
    assert portal.events(browser.account_id) == []


async def test_what_is_pasted_is_read_beside_the_event_loop(
    portal: Installation, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads: list[int] = []

    def noted(*asked: Any, **more: Any) -> Any:
        threads.append(threading.get_ident())
        return submission_of(*asked, **more)

    monkeypatch.setattr(pages, "submission_of", noted)
    assert (await run(member(portal))).status_code == 200
    assert len(threads) == 1
    assert threads != [threading.get_ident()]


async def test_a_decimal_comma_is_asked_about_and_never_charged(portal: Installation) -> None:
    browser = member(portal)
    page = await run(browser, rows="0,5 0,5 0,5 0,5 0,5", mode="live")
    assert page.status_code == 400
    assert "A comma inside of a number" in text_of(page)
    assert "one number or two" in text_of(page)
    assert portal.events(browser.account_id) == []


async def test_a_picture_is_sent_as_the_file_that_it_is(portal: Installation) -> None:
    browser = member(portal)
    files = {"file": ("cat's paw.png", picture(), "image/png")}
    page = await browser.post("/app/models/vgg16-digits/predict", form(rows=""), files=files)
    assert page.status_code == 200, text_of(page)
    assert page.text.count("<meter") == 3
    assert "--data-binary '@cat'\"'\"'s paw.png'" in code_of(page)
    (event,) = portal.events(browser.account_id)
    assert event.input_bytes == len(picture())


async def test_without_a_picture_the_example_is_sent(portal: Installation) -> None:
    browser = member(portal)
    form_page = await browser.get("/app/playground/vgg16-digits")
    assert "data-draw-canvas" in form_page.text  # it knows digits
    assert "data-draw-canvas" not in (await browser.get("/app/playground/vgg16")).text
    files = {"file": ("", b"", "application/octet-stream")}
    page = await browser.post("/app/models/vgg16-digits/predict", form(rows=""), files=files)
    assert page.status_code == 200, text_of(page)
    assert "--data-binary @digit.png" in code_of(page)


async def test_what_is_no_picture_is_refused(portal: Installation) -> None:
    files = {"file": ("x.png", b"GIF89a", "image/png")}
    page = await member(portal).post("/app/models/vgg16-digits/predict", form(rows=""), files=files)
    assert page.status_code == 400
    assert "The model cannot read this input." in text_of(page)


async def test_a_model_that_does_not_answer_says_why(portal: Installation) -> None:
    browser = member(portal)
    page = await browser.get("/app/playground/vgg16")
    assert "This model does not answer now." in text_of(page)
    assert re.search(r'type="submit" disabled', page.text)
    answer = await browser.post("/app/models/vgg16/predict", form(rows=""))
    assert answer.status_code == 503


async def test_a_model_that_fails_is_free(portal: Installation) -> None:
    browser = member(portal)
    page = await run(browser, "moody", rows="2, 0", mode="live")
    assert page.status_code == 500
    assert "The model failed on this input." in text_of(page)
    assert [event.amount_nanos for event in portal.events(browser.account_id)] in ([], [0])


@pytest.mark.parametrize(("plan", "words"), [(None, "no plan yet"), ("digits-only", "does not sell this model")])
async def test_what_is_not_sold_cannot_be_run(portal: Installation, plan: str | None, words: str) -> None:
    browser = member(portal, account_id=account(portal, plan=plan))
    shown = await browser.get("/app/playground/linear")
    assert "Your plan does not sell this model." in text_of(shown)
    page = await run(browser)
    assert page.status_code in {402, 403}
    assert words in text_of(page)


async def test_tiers_are_said_before_the_run_and_estimated_behind_it(portal: Installation) -> None:
    browser = member(portal, account_id=account(portal, plan="tiered"))
    assert "0.001 USD per row, up to 10" in text_of(await browser.get("/app/playground/linear"))
    assert "about 0.001 USD" in text_of(await run(browser, mode="live"))


async def test_a_form_that_came_back_from_history_with_another_input_is_sent_once_more(portal: Installation) -> None:
    browser = member(portal)
    first = form()
    await browser.post("/app/models/linear/predict", first)
    refused = await browser.post("/app/models/linear/predict", {**first, "rows": ROWS.replace("1", "2")})
    assert "Send it once more." in text_of(refused)
    (fresh,) = _KEY.findall(refused.text)
    assert fresh != first["idempotency_key"]
    assert 'name="csrf" value="' in refused.text
    assert re.search(r'name="csrf" value="[0-9a-f]+" autocomplete="off"', refused.text)
    assert f'value="{fresh}" autocomplete="off"' in refused.text


async def test_a_test_has_a_low_rate(portal: Installation) -> None:
    browser = member(portal)
    all_of_a_minute = "\n".join([ROWS] * TEST_UNITS_PER_MINUTE_MAX)
    too_large = await run(browser, rows=f"{all_of_a_minute}\n{ROWS}")
    assert too_large.status_code == 413
    assert "This call alone asks for more units than a limit allows in a minute." in text_of(too_large)
    assert (await run(browser, rows=all_of_a_minute)).status_code == 200
    page = await run(browser)
    assert page.status_code == 429
    assert "A limit of calls or units within a minute is reached." in text_of(page)


async def test_a_name_that_is_no_model_is_not_found(portal: Installation) -> None:
    browser = member(portal)
    assert (await browser.get("/app/playground/nothing")).status_code == 404
    assert (await run(browser, "nothing")).status_code == 404


@pytest.mark.parametrize("wrong", [{"mode": "free"}, {"account_id": "acct_1"}, {"idempotency_key": ""}])
async def test_a_form_that_is_not_ours_is_refused(portal: Installation, wrong: dict[str, str]) -> None:
    browser = member(portal)
    assert (await run(browser, **wrong)).status_code == 400
    assert portal.events(browser.account_id) == []


async def test_a_call_that_still_runs_is_not_made_twice(portal: Installation) -> None:
    browser = member(portal)
    twice = form(rows="5, 0", mode="live")
    with GATE.closed():
        first = asyncio.create_task(browser.post("/app/models/moody/predict", twice))
        await asyncio.to_thread(GATE.wait_until_reached)
        second = await browser.post("/app/models/moody/predict", twice)
    assert second.status_code == 409
    assert "still running" in text_of(second)
    assert "Nothing was charged" not in text_of(second)
    assert (await first).status_code == 200
    assert len(portal.events(browser.account_id)) == 1


async def test_a_revoked_key_of_the_playground_is_replaced(portal: Installation) -> None:
    browser: Member = member(portal)
    await run(browser)
    (event,) = portal.events(browser.account_id)
    portal.services.accounts.revoke_key(browser.account_id, event.key_id)
    assert (await run(browser)).status_code == 200
    assert len({event.key_id for event in portal.events(browser.account_id)}) == 2
