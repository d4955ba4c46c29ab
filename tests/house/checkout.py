"""The checkout that is tested: its root, its recipe, and the files that belong to it."""

import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("cache", "domain", "providers", "server", "tasks", "tools")
"""What the one package `rushes` is made of."""


def recipe() -> dict[str, Any]:
    """pyproject.toml."""
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def wheel_recipe() -> dict[str, Any]:
    return cast("dict[str, Any]", recipe()["tool"]["hatch"]["build"]["targets"]["wheel"])


def package_files() -> Iterator[Path]:
    """Every Python file of the package, by its real path."""
    for part in PARTS:
        yield from sorted((ROOT / part).rglob("*.py"))


def tracked_files() -> list[Path]:
    """The files that git tracks; in an unpacked sdist, everything that is there."""
    listing = subprocess.run(
        ["git", "-c", "safe.directory=*", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=False
    )
    if listing.returncode == 0:
        paths = [ROOT / name for name in listing.stdout.decode().split("\0") if name]
    else:
        paths = [path for path in ROOT.rglob("*") if not any(part.startswith(".") for part in path.parts)]
    return [path for path in paths if path.is_file() and not path.is_symlink()]
