"""How the code is written: what no formatter or type checker holds."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .checkout import ROOT, package_files

FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400

FILES = list(package_files())
NAMES = [path.relative_to(ROOT).as_posix() for path in FILES]


def parsed(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"))


def functions(tree: ast.Module) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_inside_the_package_rushes_is_imported_relatively(path: Path) -> None:
    imported = [
        name
        for node in ast.walk(parsed(path))
        for name in (
            [alias.name for alias in node.names]
            if isinstance(node, ast.Import)
            else [node.module or ""]
            if isinstance(node, ast.ImportFrom) and node.level == 0
            else []
        )
    ]
    assert [name for name in imported if name.partition(".")[0] == "rushes"] == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_no_function_is_long(path: Path) -> None:
    long = [
        f"{node.name}: {lines} lines"
        for node in functions(parsed(path))
        if (lines := (node.end_lineno or node.lineno) - node.lineno + 1) > FUNCTION_LINES_MAX
    ]
    assert long == []


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_no_module_is_long_and_each_says_what_it_is(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= MODULE_LINES_MAX
    assert ast.get_docstring(parsed(path)), "a module starts with a docstring"
