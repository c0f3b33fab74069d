"""Errors say what, where and how to mend it, and each code stands for one thing."""

import importlib
import pkgutil
import re
from collections import defaultdict

import app
from app.errors import AppError, Invalid, Kind


def test_the_text_of_an_error_holds_place_detail_and_remedy() -> None:
    assert str(Invalid("is not a number", where="inputs[3]", hint="send numbers")) == (
        "inputs[3]: is not a number (send numbers)"
    )
    assert str(AppError("failed")) == "failed"


def test_facts_are_kept_beside_the_text() -> None:
    error = AppError("too many", retry_after_s=3, limit="units", limit_size=120)
    assert (error.retry_after_s, error.facts) == (3, {"limit": "units", "limit_size": 120})


def test_every_error_has_a_kind_and_a_code_of_its_own() -> None:
    for module in pkgutil.walk_packages(app.__path__, "app."):
        if not module.name.endswith("__main__"):
            importlib.import_module(module.name)
    codes = defaultdict(set)
    queue = [AppError]
    while queue:
        error = queue.pop()
        queue += error.__subclasses__()
        assert isinstance(error.kind, Kind)
        assert re.fullmatch(r"[a-z]+(_[a-z]+)*", error.code)
        if "code" in vars(error):
            codes[error.code].add(error.__name__)
    assert {code: names for code, names in codes.items() if len(names) > 1} == {}
