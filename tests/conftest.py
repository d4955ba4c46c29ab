"""What every test runs under: asyncio, no network beyond this machine, no settings of the person who runs it."""

import ipaddress
import os
import signal
import socket
import sys
from collections.abc import Iterator
from itertools import count
from pathlib import Path
from types import FrameType
from typing import cast

import hypothesis
import pytest

pytest_plugins = ["tests.gateways.fixtures", "tests.crash.summary", "tests.spread", "tests.followed", "tests.in_memory"]

# A machine that is busy with something else must not fail a test.
hypothesis.settings.register_profile("rushes", deadline=None)
hypothesis.settings.load_profile("rushes")

ENVIRONMENT_OF_RUSHES = ("RUSHES_",)
ENVIRONMENT_OF_GATEWAYS = ("_API_KEY", "_BASE_URL", "_PROXY", "_WEBHOOK_SECRET")


class OutsideNetworkUsed(RuntimeError):
    """A test tried to reach another machine. Not an OSError, so that no code under test takes it for a fault."""


def _is_on_this_machine(host: str) -> bool:
    if host in {"", "localhost"}:
        return True
    try:
        address = ipaddress.ip_address(host.partition("%")[0])
    except ValueError:
        return False
    return address.is_loopback or address.is_unspecified


def _text(host: object) -> str:
    if host is None:
        return ""
    return host.decode("ascii", "replace") if isinstance(host, bytes) else str(host)


def _refuse_outside_network(event: str, arguments: tuple[object, ...]) -> None:
    if event == "socket.getaddrinfo":
        host = _text(arguments[0])
        if host.endswith(".invalid"):
            # RFC 6761: a resolver answers at once that such a name does not exist.
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
    elif event in {"socket.connect", "socket.sendto"}:
        address = arguments[1]
        if not isinstance(address, tuple):
            return
        host = _text(cast("tuple[object, ...]", address)[0])
    else:
        return
    if not _is_on_this_machine(host):
        raise OutsideNetworkUsed(f"a test tried to reach {host!r} ({event})")


# An audit hook sees every socket of the process, also those of C code that calls back into Python's socket module.
sys.addaudithook(_refuse_outside_network)


def _nothing(number: int, frame: FrameType | None) -> None:
    """Ignores a signal."""


def _ignore_for_this_process_alone() -> None:
    """Let what a test starts hear signals that `pytest &` and `nohup pytest` ignore.

    An ignored signal is handed down to every child; one with a handler is not.
    """
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGHUP):
        if signal.getsignal(number) is signal.SIG_IGN:
            signal.signal(number, _nothing)


_ignore_for_this_process_alone()


@pytest.fixture(scope="session")
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(scope="session")
def homes(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """For each test the path of a home, where nothing is yet: most tests need none, and a folder takes its time."""
    folder = tmp_path_factory.mktemp("homes")
    return (folder / str(number) for number in count())


@pytest.fixture(autouse=True)
def isolated_environment(monkeypatch: pytest.MonkeyPatch, homes: Iterator[Path]) -> Path:
    """Take away every setting and key of the person who runs the tests; returns the home that rushes uses instead."""
    for name in list(os.environ):
        upper = name.upper()
        if upper.startswith(ENVIRONMENT_OF_RUSHES) or upper.endswith(ENVIRONMENT_OF_GATEWAYS):
            monkeypatch.delenv(name)
    home = next(homes)
    monkeypatch.setenv("RUSHES_HOME", str(home))
    monkeypatch.setenv("RUSHES_KEEPER", "off")
    return home
