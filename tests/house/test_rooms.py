"""How rooms are told apart, and through which door their modules are reached."""

import ast
from collections.abc import Collection, Iterator
from itertools import combinations
from pathlib import Path

from .checkout import ROOT, package_files

ADJOINING = {
    frozenset(pair)
    for pair in (
        ("server", "tools"),
        ("tools", "tasks"),
        ("tasks", "providers"),
        ("tasks", "cache"),
        ("providers", "domain"),
        ("cache", "domain"),
    )
}
"""Rooms of which one imports the other, as `lint-imports` has them."""


def places() -> Iterator[Path]:
    """Every module, and every folder of modules inside of a room, by its path without a suffix."""
    for path in package_files():
        place = path.relative_to(ROOT).with_suffix("")
        if place.name != "__init__":
            yield place
        elif len(place.parts) > 2:
            yield place.parent


def are_neighbours(one: Path, other: Path) -> bool:
    """Whether somebody at home in one of them meets the other; a folder's main module may have the folder's name."""
    rooms = {one.parts[0], other.parts[0]}
    return one.parent != other and other.parent != one and (len(rooms) == 1 or frozenset(rooms) in ADJOINING)


def test_no_two_modules_of_one_name_lie_in_neighbouring_rooms() -> None:
    alike = [
        (str(one), str(other))
        for one, other in combinations(places(), 2)
        if one.name == other.name and are_neighbours(one, other)
    ]
    assert alike == []


def imported_by(path: Path) -> Iterator[str]:
    """The modules of the tools that a file of the tests names in its absolute imports, and others beside them."""
    text = path.read_text(encoding="utf-8")
    # Most files do not name them at all, and to parse all tests takes a second.
    for node in ast.walk(ast.parse(text)) if "rushes.tools." in text else ():
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module is not None:
            yield node.module


def test_tests_reach_the_tools_through_their_face_as_the_server_does() -> None:
    around = [
        f"{path.relative_to(ROOT).as_posix()}: {name}"
        for path in sorted((ROOT / "tests").rglob("*.py"))
        for name in imported_by(path)
        if name.startswith("rushes.tools.")
    ]
    assert around == []


Module = tuple[str, ...]


def imports() -> dict[Module, set[Module]]:
    """Which modules of the package each one names, also those for type checkers and those imported where used."""
    files = {_module(path): path for path in package_files()}
    return {name: set(_named(path, files.keys())) - {name} for name, path in files.items()}


def _module(path: Path) -> Module:
    parts = path.relative_to(ROOT).with_suffix("").parts
    return parts[:-1] if parts[-1] == "__init__" else parts


def _named(path: Path, known: Collection[Module]) -> Iterator[Module]:
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.level:
            source = (*path.relative_to(ROOT).parts[: -node.level], *(node.module or "").split("."))
            for alias in node.names:
                yield from [each for each in ((*source, alias.name), source) if each in known][:1]


def test_no_modules_import_each_other_in_a_circle() -> None:
    left = imports()
    while free := {name for name, named in left.items() if not named & left.keys()}:
        left = {name: named for name, named in left.items() if name not in free}
    assert {"/".join(name) for name in left} == set()
