"""How a run is spread over processes: a folder over two more than cores, and what names a file or a test over none.
And what makes its beginning light."""

import gc
import os
from collections.abc import Generator, Mapping
from contextlib import ExitStack, suppress
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import Any, Final

import pytest

from .forks import shared_zygote

WORKERS_MAX: Final = 8
LONGEST: Final = Path(__file__).parent / "crash"


def _is_narrow(argument: str) -> bool:
    path, _, test = argument.partition("::")
    return bool(test) or Path(path).is_file()


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """For `--numprocesses auto`. Two more than cores, because half of the time a test waits for a process, a gateway or
    a moment; a look into one file starts at once and can be stopped in a debugger."""
    arguments = config.invocation_params.args
    if any(_is_narrow(str(argument)) for argument in arguments):
        return 0
    return min((os.cpu_count() or 1) + 2, WORKERS_MAX)


def pytest_configure(config: pytest.Config) -> None:
    """One process that forks is enough for all workers."""
    if config.getoption("tx", None):
        sharing = ExitStack()
        config.add_cleanup(sharing.close)
        sharing.enter_context(shared_zygote())


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Each worker makes a million objects of the whole list that stay: looking through them for garbage while they are
    made, and again and again while tests run, takes a tenth of the time that this takes."""
    gc.disable()
    try:
        _load_from_another_place_on(session.config)
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _load_from_another_place_on(config: pytest.Config) -> None:
    """In a new clone each module of tests takes long to compile, once for all workers if each begins elsewhere."""
    given: Mapping[str, Any] = getattr(config, "workerinput", {})
    if not given:
        return
    folders = [config.invocation_params.dir / argument for argument in config.args]
    files = sorted({file for folder in folders for file in folder.rglob("test_*.py")})
    first = len(files) * int(given["workerid"].removeprefix("gw")) // given["workercount"]
    for file in (*files[first:], *files[:first]):
        # What is wrong with it is told when it is collected.
        with suppress(Exception):
            import_module(".".join(file.relative_to(config.rootpath).with_suffix("").parts))


@cache
def _is_among_longest(path: Path) -> bool:
    return LONGEST in path.parents


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Let each worker begin with its share of the tests that take longest: a worker's first tests are a piece of the
    whole list, and what is left at the end is handed from one to another."""
    given: Mapping[str, int] = getattr(config, "workerinput", {})
    workers = given.get("workercount", 1)
    long = [item for item in items if _is_among_longest(item.path)]
    others = [item for item in items if not _is_among_longest(item.path)]
    size = -(-len(others) // workers)
    items[:] = [
        item
        for number in range(workers)
        for item in (*long[number::workers], *others[number * size : (number + 1) * size])
    ]
