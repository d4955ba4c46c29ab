"""Tests, simulators and what measures rushes. All that starts from here compiles each module once."""

import os
import sys
from pathlib import Path

BYTECODE = Path(__file__).parents[1] / ".pytest_cache" / "bytecode"


def _keep_bytecode() -> None:
    """Where no bytecode is wanted beside sources, keep it in a folder of the tests' own.

    They start hundreds of processes, and each would compile all modules anew: more work than most tests have.
    """
    if sys.dont_write_bytecode:
        os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
        os.environ["PYTHONPYCACHEPREFIX"] = sys.pycache_prefix = str(BYTECODE)
        sys.dont_write_bytecode = False


_keep_bytecode()
