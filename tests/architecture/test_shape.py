"""The shape of the code: small files, small functions, names that say something, one commit, no float near money."""

import ast
import re

import pytest

from tests.architecture.source_tree import SourceFile, source_files

PROGRAM = ("app", "models", "migrations", "benchmarks", "frontend")
EVERYTHING = (*PROGRAM, "tests")
FILE_LINES_MAX = 400
FUNCTION_LINES_MAX = 60

# A file of that name collects what found no noun of its own.
_GRAB_BAG = re.compile(r"(.*_)?(utils?|helpers?|common|misc|manager|base)")
_GRAB_BAG_CLASS = re.compile(r".*(Manager|Helper|Utils?)$")


def name_of(file: SourceFile) -> str:
    return str(file.path)


@pytest.mark.parametrize("file", source_files(*EVERYTHING), ids=name_of)
def test_a_file_fits_one_sitting_and_a_function_one_screen(file: SourceFile) -> None:
    assert file.lines <= FILE_LINES_MAX
    too_long = {
        function.name: length
        for function in file.functions()
        if (length := (function.end_lineno or 0) - function.lineno + 1) > FUNCTION_LINES_MAX
    }
    assert too_long == {}


@pytest.mark.parametrize("file", source_files(*EVERYTHING), ids=name_of)
def test_no_name_is_a_grab_bag(file: SourceFile) -> None:
    assert not _GRAB_BAG.fullmatch(file.path.stem)
    classes = [node.name for node in ast.walk(file.tree) if isinstance(node, ast.ClassDef)]
    assert [name for name in classes if _GRAB_BAG_CLASS.match(name)] == []


@pytest.mark.parametrize("file", source_files(*PROGRAM), ids=name_of)
def test_a_module_says_what_it_is_for(file: SourceFile) -> None:
    assert ast.get_docstring(file.tree)


@pytest.mark.parametrize(
    "file", [file for file in source_files("app") if file.matches("app/*/__init__.py")], ids=name_of
)
def test_a_package_says_what_it_owns_and_holds_nothing_else(file: SourceFile) -> None:
    docstring = ast.get_docstring(file.tree) or ""
    assert [word for word in ("Owns:", "Does not own:", "Invariants:") if word not in docstring] == []
    assert len(file.tree.body) == 1


def test_the_program_commits_in_one_place() -> None:
    commits = {name_of(file): file.calls_of("commit") for file in source_files("app")}
    assert {name: count for name, count in commits.items() if count} == {"app/database.py": 1}


def test_the_time_is_read_in_one_place() -> None:
    readers = [
        name_of(file)
        for file in source_files("app")
        for node in ast.walk(file.tree)
        if isinstance(node, ast.Attribute) and ast.unparse(node) in {"datetime.now", "datetime.utcnow", "time.time"}
    ]
    assert set(readers) == {"app/clock.py"}


@pytest.mark.parametrize(
    "file",
    [
        file
        for file in source_files("app")
        if name_of(file) == "app/money.py"
        or file.path.parts[1] in {"pricing", "rating", "billing", "economics", "ledger"}
    ],
    ids=name_of,
)
def test_no_float_touches_money(file: SourceFile) -> None:
    floats = [
        node.lineno
        for node in ast.walk(file.tree)
        if (isinstance(node, ast.Constant) and isinstance(node.value, float))
        or (isinstance(node, ast.Call) and ast.unparse(node.func) == "float")
    ]
    assert floats == []
