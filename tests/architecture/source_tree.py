"""The program's own source, parsed once: what the tests of this folder look at."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).parents[2]

Function = ast.FunctionDef | ast.AsyncFunctionDef


@dataclass(frozen=True, slots=True)
class Import:
    """One imported module, and whether a function imports it only when it runs."""

    module: str
    in_function: bool


@dataclass(frozen=True)
class SourceFile:
    """One Python file; `path` is relative to the repository."""

    path: PurePosixPath
    tree: ast.Module
    lines: int

    def matches(self, pattern: str) -> bool:
        return self.path.match(pattern) and len(self.path.parts) == len(PurePosixPath(pattern).parts)

    def functions(self) -> Iterator[Function]:
        yield from (node for node in ast.walk(self.tree) if isinstance(node, Function))

    def imports(self) -> set[Import]:
        lazy = {id(node) for function in self.functions() for node in ast.walk(function)}
        return {Import(module, id(node) in lazy) for node in ast.walk(self.tree) for module in _imported_modules(node)}

    def calls_of(self, attribute: str) -> int:
        """Return how many calls `anything.attribute(…)` the file holds."""
        return sum(
            isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == attribute
            for node in ast.walk(self.tree)
        )


def _imported_modules(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module]
    return []


@cache
def source_files(*folders: str) -> tuple[SourceFile, ...]:
    """Return every Python file under the folders of the repository, but for what npm installed there."""
    files = (file for folder in folders for file in sorted((ROOT / folder).rglob("*.py")))
    return tuple(_parsed(file) for file in files if file.is_file() and "node_modules" not in file.parts)


def _parsed(file: Path) -> SourceFile:
    text = file.read_text()
    return SourceFile(PurePosixPath(file.relative_to(ROOT).as_posix()), ast.parse(text), text.count("\n"))
