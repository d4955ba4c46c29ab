"""A host that runs until its model has no more to say, seen by the scenario as a session."""

import asyncio
import os
import signal
import sys
import tempfile
from collections.abc import AsyncGenerator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from ..scripts.scenario import Job, Session, main
from ..scripts.typescript import package_version
from .conversation import Dialect, HostBroke, Model
from .endpoint import Endpoint, answering
from .session import Connected
from .spoken import recorded, relayed

PROMPT = "Make a picture and a film with rushes."

PRINTED_CHARACTERS = 300


@dataclass(frozen=True)
class Start:
    """A host's command line and environment."""

    command: Sequence[str]
    environment: Mapping[str, str]


Configure = Callable[[Job, float, Path, str], Start]
"""Writes a host's configuration for a server, a limit in seconds on one call, an empty home and the model's address."""


@asynccontextmanager
async def connect(job: Job, seconds: float, dialect: Dialect, configure: Configure) -> AsyncGenerator[Session]:
    """The host with its first turn taken; it must end well after its model said its last words."""
    model = Model()
    with (
        tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as name,
        answering(dialect, model) as endpoint,
    ):
        folder = Path(name)
        home = folder / "home"
        home.mkdir()
        async with watched(job, folder / "requests") as reached:
            start = configure(reached, seconds, home, endpoint.url)
            async with running(start, alone(home, endpoint), folder) as process:
                connected = Connected(model, process, seconds, folder / "requests")
                await connected.begin()
                yield connected
                await connected.end()
        if endpoint.refused:
            print("refused to pass on requests for", *sorted(endpoint.refused), file=sys.stderr)  # noqa: T201


@asynccontextmanager
async def watched(job: Job, record: Path) -> AsyncGenerator[Job]:
    """The same server, with a copy of what the host asks it."""
    if job.url is None:
        yield replace(job, command=recorded(job.command, record))
        return
    async with relayed(job.url, record) as url:
        yield replace(job, url=url)


def alone(home: Path, endpoint: Endpoint) -> dict[str, str]:
    """An environment without anything of the person's, in which all but this machine is behind the endpoint."""
    proxies = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), endpoint.url)
    paths = f"{Path(os.environ['NODE']).parent}{os.pathsep}{os.defpath}"
    return {"PATH": paths, "HOME": str(home), **proxies, "NO_PROXY": "127.0.0.1", "no_proxy": "127.0.0.1"}


@asynccontextmanager
async def running(
    start: Start, environment: Mapping[str, str], folder: Path
) -> AsyncGenerator[asyncio.subprocess.Process]:
    """The host's process in an empty folder; killed with its children where it is still there at the end.

    Raises:
        HostBroke: from the block, with what the host printed last.
    """
    work = folder / "work"
    work.mkdir()
    log = folder / "log"
    with log.open("wb") as printed:
        process = await asyncio.create_subprocess_exec(
            *start.command,
            cwd=work,
            env={**environment, **start.environment},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=printed,
            stderr=printed,
            start_new_session=True,
        )
    try:
        yield process
    except HostBroke as broke:
        last = log.read_text(encoding="utf-8", errors="replace")[-PRINTED_CHARACTERS:]
        raise HostBroke(f"{broke}; it printed: {last}") from None
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
            await process.wait()


def packaged(*parts: str) -> str:
    """A file of the host's packages."""
    return str(Path(os.environ["NODE_PACKAGES"], *parts))


def play_host(package: str, dialect: Dialect, configure: Configure) -> None:
    """Play the scenario with a host as the client."""

    def connected(job: Job, seconds: float) -> AbstractAsyncContextManager[Session]:
        return connect(job, seconds, dialect, configure)

    main(package_version(package), connected)
