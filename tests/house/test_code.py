"""How the code is written: what no formatter or type checker holds."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from .checkout import ROOT, package_files

FUNCTION_LINES_MAX = 60
MODULE_LINES_MAX = 400
SANDBOX_LINES_MAX = 1200
"""It stands in for a gateway, and is no product of its own."""


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


def logging_calls(tree: ast.Module) -> Iterator[ast.Call]:
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(value=ast.Name(id="logger"))):
                yield node
            case _:
                pass


def test_logs_have_a_short_message_and_the_rest_as_fields(sources: list[Source]) -> None:
    calls = [(source.name, call) for source in sources for call in logging_calls(source.tree)]
    wrong = [
        f"{name}:{call.lineno}"
        for name, call in calls
        if len(call.args) != (2 if "log" in ast.unparse(call.func).split(".") else 1)
        or "%" in ast.unparse(call.args[-1])
    ]
    assert len(calls) > 40
    assert wrong == []


def test_the_sandbox_stays_small(sources: list[Source]) -> None:
    lines = [len(source.text.splitlines()) for source in sources if source.name.startswith("providers/sandbox/")]
    assert 0 < sum(lines) <= SANDBOX_LINES_MAX
