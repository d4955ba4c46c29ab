"""How a run is spread over processes: a folder over one a core, and what names a file or a test over none."""

import os
from pathlib import Path
from typing import Final

import pytest

WORKERS_MAX: Final = 8


def _is_narrow(argument: str) -> bool:
    path, _, test = argument.partition("::")
    return bool(test) or Path(path).is_file()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """For `--numprocesses auto`. Below two workers their start costs more than it brings; a look into one file starts
    at once and can be stopped in a debugger."""
    arguments = config.invocation_params.args
    if any(_is_narrow(str(argument)) for argument in arguments):
        return 0
    return min(max(2, os.cpu_count() or 2), WORKERS_MAX)
