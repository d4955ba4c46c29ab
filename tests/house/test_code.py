"""How the code is written: what no formatter or type checker holds."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .checkout import ROOT, package_files

FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400


class Source:
    """A file of the package, read and parsed once for all rules."""

    def __init__(self, path: Path) -> None:
        self.name = path.relative_to(ROOT).as_posix()
        self.text = path.read_text(encoding="utf-8")
        self.tree = ast.parse(self.text)


@pytest.fixture(scope="module")
def sources() -> list[Source]:
    return [Source(path) for path in package_files()]


def absolute_imports(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0:
            yield node.module or ""


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def test_inside_the_package_rushes_is_imported_relatively(sources: list[Source]) -> None:
    wrong = [
        f"{source.name}: {name}"
        for source in sources
        for name in absolute_imports(source.tree)
        if name.partition(".")[0] == "rushes"
    ]
    assert wrong == []


def test_no_function_is_long(sources: list[Source]) -> None:
    long = [
        f"{source.name}: {node.name}: {lines} lines"
        for source in sources
        for node in functions(source.tree)
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert long == []


def test_no_module_is_long(sources: list[Source]) -> None:
    long = [
        f"{source.name}: {lines} lines"
        for source in sources
        if (lines := len(source.text.splitlines())) > MODULE_LINES_MAX
    ]
    assert long == []


def test_each_module_says_what_it_is(sources: list[Source]) -> None:
    assert [source.name for source in sources if not ast.get_docstring(source.tree)] == []
