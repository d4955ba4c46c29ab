"""The suite's own safety: no test can reach another machine or see a real key."""

import os
import socket
import subprocess
import sys
from pathlib import Path

import anyio
import pytest
from anyio.abc import SocketAttribute

from . import BYTECODE
from .conftest import OutsideNetworkUsed

pytestmark = pytest.mark.anyio

DOCUMENTATION_ADDRESS = "192.0.2.1"  # RFC 5737: routed nowhere


def test_a_connection_to_another_machine_is_refused() -> None:
    with pytest.raises(OutsideNetworkUsed, match=DOCUMENTATION_ADDRESS):
        socket.create_connection((DOCUMENTATION_ADDRESS, 443), timeout=5)


async def test_a_connection_that_the_event_loop_opens_is_refused_too() -> None:
    with anyio.fail_after(5), pytest.raises(ExceptionGroup) as raised:
        await anyio.connect_tcp(DOCUMENTATION_ADDRESS, 443)
    assert raised.group_contains(OutsideNetworkUsed)


def test_a_datagram_to_another_machine_is_refused() -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender, pytest.raises(OutsideNetworkUsed):
        sender.sendto(b"x", (DOCUMENTATION_ADDRESS, 53))


async def test_a_name_of_another_machine_is_not_even_looked_up() -> None:
    with anyio.fail_after(5), pytest.raises(OutsideNetworkUsed, match=r"example\.com"):
        await anyio.getaddrinfo("example.com", 443)


async def test_a_name_that_cannot_exist_fails_as_on_any_machine() -> None:
    with anyio.fail_after(5), pytest.raises(socket.gaierror):
        await anyio.getaddrinfo("gateway.invalid", 443)


async def test_this_machine_can_be_reached() -> None:
    async with await anyio.create_tcp_listener(local_host="127.0.0.1") as listener:
        port = listener.extra_attributes[SocketAttribute.local_port]()
        with anyio.fail_after(5):
            async with await anyio.connect_tcp("127.0.0.1", port):
                pass


def test_settings_and_keys_of_the_person_are_taken_away(isolated_environment: Path) -> None:
    assert os.environ["RUSHES_HOME"] == str(isolated_environment)
    left = [name for name in os.environ if name.endswith(("_API_KEY", "_BASE_URL", "_PROXY"))]
    assert left == []


def test_what_a_test_starts_hears_signals() -> None:
    code = "from signal import *; print(getsignal(SIGINT) is default_int_handler, getsignal(SIGHUP) == SIG_DFL)"
    child = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert child.stdout.split() == ["True", "True"]


def test_what_a_test_starts_hears_signals_although_pytest_was_started_in_the_background() -> None:
    test = f"{__file__}::{test_what_a_test_starts_hears_signals.__name__}"
    ignoring = ["sh", "-c", 'trap "" INT QUIT HUP; exec "$@"', "sh"]
    run = subprocess.run([*ignoring, sys.executable, "-m", "pytest", test], capture_output=True, text=True, check=False)
    assert "1 passed" in run.stdout, run.stdout


def test_a_process_that_a_test_starts_compiles_nothing_that_another_one_has(tmp_path: Path) -> None:
    code = "import sys, tests; print(sys.dont_write_bytecode, sys.pycache_prefix)"
    unwilling = {**os.environ, "PYTHONDONTWRITEBYTECODE": "1"}
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=BYTECODE.parents[1], env=unwilling, capture_output=True, text=True
    )
    assert run.stdout.split() == ["False", str(BYTECODE)], run.stderr
    assert "PYTHONDONTWRITEBYTECODE" not in os.environ
