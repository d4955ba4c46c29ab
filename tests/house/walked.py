"""`rushes` with a record of where it goes: each entry of the functions named in WALK_PLACES is a line in WALK_FILE.

WALK_PLACES="tools/generate.py generate\n…" WALK_FILE=entered python -m tests.house.walked serve
"""

import os
import sys
import threading
from types import FrameType

FROM = "/.src/rushes/"

DECORATORS_MAX = 1
"""Lines before the `def` of a function that is recorded."""


def watch() -> None:
    """Begin to record, in all threads to come."""
    places = {tuple(line.split()) for line in os.environ["WALK_PLACES"].splitlines()}
    file = os.open(os.environ["WALK_FILE"], os.O_CREAT | os.O_APPEND | os.O_WRONLY)

    def note(frame: FrameType, event: str, _: object) -> None:
        # A coroutine is called again at each step that it goes on with, further down in its lines.
        if event != "call" or frame.f_lineno > frame.f_code.co_firstlineno + DECORATORS_MAX:
            return
        place = (frame.f_code.co_filename.rpartition(FROM)[2], frame.f_code.co_name)
        if place in places:
            os.write(file, f"{place[0]} {place[1]}\n".encode())

    threading.setprofile(note)
    sys.setprofile(note)


if __name__ == "__main__":
    watch()
    from rushes.server.cli import main

    main()
