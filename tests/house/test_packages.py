"""The wheel and the sdist: one package, nothing beside it, nothing left out."""

import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

import pytest

from .checkout import PARTS, ROOT, recipe

OWN_FILES = ("__init__.py", "__main__.py", "py.typed")


def build(target: str, source: Path, folder: Path) -> Path:
    """Build the wheel or the sdist of the project in `source`; returns the file."""
    folder.mkdir()
    command = [sys.executable, "-m", "hatchling", "build", "-t", target, "-d", str(folder)]
    subprocess.run(command, cwd=source, check=True, capture_output=True, text=True)
    (built,) = folder.iterdir()
    return built


@pytest.fixture(scope="module")
def sdist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("sdist", ROOT, tmp_path_factory.mktemp("sdist") / "dist")


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return build("wheel", ROOT, tmp_path_factory.mktemp("wheel") / "dist")


def names_in(wheel: Path) -> set[str]:
    with zipfile.ZipFile(wheel) as archive:
        return set(archive.namelist())


def files_of_the_package() -> set[str]:
    """Every file of the checkout that belongs to the package, by its name in the wheel."""
    own = {f"rushes/{path.name}" for path in (ROOT / ".src" / "rushes").iterdir() if path.name in OWN_FILES}
    files = {
        f"rushes/{path.relative_to(ROOT).as_posix()}"
        for part in PARTS
        for path in (ROOT / part).rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
    return own | files


def test_the_wheel_holds_the_whole_package_and_nothing_beside_it(wheel: Path) -> None:
    names = {name for name in names_in(wheel) if ".dist-info/" not in name}
    assert names == files_of_the_package()


def test_a_wheel_made_from_the_sdist_is_the_same(sdist: Path, wheel: Path, tmp_path: Path) -> None:
    with tarfile.open(sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (unpacked,) = (path for path in tmp_path.iterdir() if path.is_dir())
    again = build("wheel", unpacked, tmp_path / "dist")
    assert names_in(again) == names_in(wheel)


def test_the_sdist_holds_what_a_packager_needs(sdist: Path) -> None:
    with tarfile.open(sdist) as archive:
        names = {name.partition("/")[2] for name in archive.getnames()}
    assert {"pyproject.toml", "README.md", "LICENSE", "CHANGELOG.md", "tests/conftest.py"} <= names
    assert not {name for name in names if name.startswith((".venv", ".git/"))}


def test_the_version_has_its_place_in_the_changelog() -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    version = recipe()["project"]["version"]
    assert "## [Unreleased]" in changelog or f"## [{version}]" in changelog
