"""One import package from several folders: the guards that belong to this layout."""

import subprocess
import sys

from .checkout import PARTS, ROOT, wheel_recipe

LINKS = ROOT / ".src" / "rushes"


def test_the_links_for_editable_installs_equal_the_sources_of_the_wheel() -> None:
    links = {path.name: path.readlink().as_posix() for path in LINKS.iterdir() if path.is_symlink()}
    sources = {key: value for key, value in wheel_recipe()["sources"].items() if key != ".src/rushes"}
    assert links == {name: f"../../{name}" for name in PARTS}
    assert sources == {name: f"rushes/{name}" for name in PARTS}


def test_what_the_wheel_includes_is_what_it_has_sources_for() -> None:
    included = set(wheel_recipe()["only-include"])
    own_files = {f".src/rushes/{path.name}" for path in LINKS.iterdir() if path.is_file() and not path.is_symlink()}
    assert included == own_files | set(PARTS)


def test_no_part_can_be_imported_outside_of_rushes() -> None:
    code = f"from importlib.util import find_spec; print([name for name in {PARTS} if find_spec(name)])"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]", f"importable on their own: {run.stdout}"


def test_rushes_itself_is_imported_from_this_checkout() -> None:
    code = "import rushes.domain.errors; print(rushes.domain.errors.__file__)"
    run = subprocess.run([sys.executable, "-I", "-c", code], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == str(LINKS / "domain" / "errors.py")
