"""The command `rushes`. Light to import, because hosts wait for `rushes serve` to start."""

import io
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command of `sys.argv`; never returns."""
    from ..domain.errors import RushesError

    for stream in (sys.stdout, sys.stderr):
        # A terminal that lacks a character shows another in its place; no result is lost over it.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
    try:
        _run()
    except RushesError as error:
        from .commands.answer import complain, exit_of_error

        complain(error)
        sys.exit(exit_of_error(error))
    sys.exit(0)


def _run() -> None:
    if sys.argv[1:] == ["serve"]:
        # How hosts start it: without options there is nothing to parse.
        from .process import serve

        serve()
        return
    from .commands.app import app

    app(prog_name="rushes")
