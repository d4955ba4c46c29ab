"""What no tracked file may hold: paths of one person's machine, and anything shaped like a real key."""

import re

from .checkout import ROOT, tracked_files

# Put together from parts, so that this file does not hold them itself.
MACHINE_PATHS = [re.compile(rf"(?<![\w.])/{name}/\w") for name in ("work", "tmp/w", "tmp/scratch", "root")]
KEY_SHAPES = [re.compile(rf"\b{shape}") for shape in ("sk-[A-Za-z0-9]{32}", "ghp_[A-Za-z0-9]{30}", "AKIA[A-Z0-9]{16}")]
BINARY = {".jpg", ".png", ".ttf", ".webp", ".mp4", ".wav"}


def test_no_file_holds_a_path_of_a_machine_or_anything_that_looks_like_a_key() -> None:
    found = [
        f"{path.relative_to(ROOT).as_posix()}: {match.group()}"
        for path in tracked_files()
        if path.suffix not in BINARY
        for pattern in (*MACHINE_PATHS, *KEY_SHAPES)
        for match in pattern.finditer(path.read_text(encoding="utf-8"))
    ]
    assert found == []
