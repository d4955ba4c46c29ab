"""The command `rushes`. Light to import, because hosts wait for `rushes serve` to start."""

import io
import os
import sys
from typing import NoReturn


def main() -> NoReturn:
    """Run the command of `sys.argv`; never returns."""
    from ..domain.errors import RushesError

    _open_what_is_closed()
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


def _open_what_is_closed() -> None:
    """A stream that was closed before we began is none; what would be written there is lost, and nothing else."""
    for name in ("stdout", "stderr"):
        if getattr(sys, name) is None:
            setattr(sys, name, open(os.devnull, "w", encoding="utf-8"))  # noqa: SIM115, PTH123  for as long as we run


def _run() -> None:
    if sys.argv[1:] == ["serve"]:
        # How hosts start it: without options there is nothing to parse.
        from .process import serve

        serve()
        return
    from .commands.app import app

    app(prog_name="rushes")
