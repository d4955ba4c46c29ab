"""What no tracked file may hold: paths of one person's machine, and anything shaped like a real key."""

import re
from pathlib import Path

import pytest

from .checkout import ROOT, tracked_files

# Put together from parts, so that this file does not hold them itself.
MACHINE_PATHS = [re.compile(rf"(?<![\w.])/{name}/\w") for name in ("work", "tmp/w", "tmp/scratch", "root")]
KEY_SHAPES = [re.compile(rf"\b{shape}") for shape in ("sk-[A-Za-z0-9]{32}", "ghp_[A-Za-z0-9]{30}", "AKIA[A-Z0-9]{16}")]
BINARY = {".jpg", ".png", ".ttf", ".webp", ".mp4", ".wav"}

TEXTS = [path for path in tracked_files() if path.suffix not in BINARY]


@pytest.mark.parametrize("path", TEXTS, ids=[path.relative_to(ROOT).as_posix() for path in TEXTS])
def test_a_file_holds_no_path_of_a_machine_and_nothing_that_looks_like_a_key(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    found = [match.group() for pattern in (*MACHINE_PATHS, *KEY_SHAPES) for match in pattern.finditer(text)]
    assert found == []
