"""Opening a file with the program that the machine has for it."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

ANSWER_SECONDS = 5.0


def opened(path: Path) -> bool:
    """Whether a program was found that opens it; without a desktop there is none."""
    if sys.platform == "win32":
        os.startfile(path)  # noqa: S606  what a double click does, with a file of our own
        return True
    opener = shutil.which("open" if sys.platform == "darwin" else "xdg-open")
    has_desktop = sys.platform == "darwin" or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY"))
    if opener is None or not has_desktop:
        return False
    try:
        process = subprocess.Popen(  # noqa: S603  the desktop's own opener, with one path
            [opener, str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )
    except OSError:
        return False
    try:
        return process.wait(ANSWER_SECONDS) == 0
    except subprocess.TimeoutExpired:
        # A program that stays in the foreground is one that shows the file.
        process.returncode = 0
        return True
