"""The code beside a call is what a shell, Python and JavaScript read as that call, whatever a file is called."""

import ast
import json
import shlex

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.portal.playground.snippets import PictureBody, RowsBody, Snippets

URL = "https://api.example.test/v1/models/linear/predict"
ROW = RowsBody([[0.5, -1, 2e-7]])
NASTY = ["a b.png", "it's.png", '"; rm -rf /; ".png', "$(id).png", "`id`.png", "back\\slash.png", "-o.png", "图.png"]


def words_of(snippets: Snippets) -> list[str]:
    """Return the words that a shell hands to cURL."""
    return shlex.split(snippets.curl.replace("\\\n", " "))


def test_the_curl_line_holds_the_call() -> None:
    words = words_of(Snippets(URL, ROW, "once", secret="fm_test_1"))
    assert words[:2] == ["curl", URL]
    assert {"Authorization: Bearer fm_test_1", "Idempotency-Key: once", "Content-Type: application/json"} < set(words)
    assert json.loads(words[words.index("-d") + 1]) == {"inputs": ROW.rows}


def test_without_a_secret_the_environment_holds_it() -> None:
    snippets = Snippets(URL, ROW, "once")
    assert '"Authorization: Bearer $FAREMETER_KEY"' in snippets.curl
    assert "fm_" not in snippets.curl + snippets.python + snippets.javascript


@pytest.mark.parametrize("name", NASTY)
def test_a_file_keeps_its_name_and_runs_nothing(name: str) -> None:
    snippets = Snippets(URL, PictureBody(name, "image/png"), "once")
    assert words_of(snippets)[-2:] == ["--data-binary", f"@{name}"]
    opened = [
        node.args[0].value
        for node in ast.walk(ast.parse(snippets.python))
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "open" and isinstance(node.args[0], ast.Constant)
    ]
    assert opened == [name]
    assert f"await readFile({json.dumps(name)})" in snippets.javascript


@given(st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1))
def test_python_reads_any_name(name: str) -> None:
    ast.parse(Snippets(URL, PictureBody(name, "image/png"), "once").python)
    assert words_of(Snippets(URL, PictureBody(name, "image/png"), "once"))[-1] == f"@{name}"


def test_the_python_code_sends_the_rows() -> None:
    calls = [node for node in ast.walk(ast.parse(Snippets(URL, ROW, "once").python)) if isinstance(node, ast.Call)]
    (data,) = [call.args[0] for call in calls if ast.unparse(call.func) == "json.dumps"]
    assert ast.literal_eval(data) == {"inputs": ROW.rows}
