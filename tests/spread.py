"""How a run is spread over processes: a folder over one more than cores, and what names a file or a test over none."""

import os
from pathlib import Path
from typing import Final

import pytest

WORKERS_MAX: Final = 8


def _is_narrow(argument: str) -> bool:
    path, _, test = argument.partition("::")
    return bool(test) or Path(path).is_file()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """For `--numprocesses auto`. One more than cores, because a third of the time a test waits for a process, a gateway
    or a moment; a look into one file starts at once and can be stopped in a debugger."""
    arguments = config.invocation_params.args
    if any(_is_narrow(str(argument)) for argument in arguments):
        return 0
    return min((os.cpu_count() or 1) + 1, WORKERS_MAX)
