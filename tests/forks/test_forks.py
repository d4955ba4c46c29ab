"""Forked processes are processes: with streams, an environment and a folder of their own, killed and waited for."""

import json
import os
import signal
import subprocess
from pathlib import Path

import anyio
import pytest

from .forked import as_command, fork, forked

SAYING = "tests.forks.saying"


def test_it_has_arguments_environment_folder_and_streams_of_its_own(tmp_path: Path) -> None:
    environment = {**os.environ, "SAID": "é"}
    with fork(SAYING, "a", "b", environment=environment, folder=tmp_path, own_session=True) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        said = json.loads(process.stdout.readline())
        assert process.poll() is None
        process.stdin.write(b"7\n")
        assert process.wait(30) == 7
        assert process.stderr.read() == b"complaint"
    assert said == [["a", "b"], "é", str(tmp_path), process.pid, process.pid]


def test_whatever_is_written_there_is_not_written_here(capfd: pytest.CaptureFixture[str]) -> None:
    with fork(SAYING) as process:
        assert process.stdin is not None
        process.stdin.write(b"0\n")
        assert process.wait(30) == 0
    assert capfd.readouterr() == ("", "")


@pytest.mark.anyio
async def test_one_that_is_killed_is_gone_while_its_neighbour_goes_on() -> None:
    with anyio.fail_after(30):
        async with forked(SAYING) as left, forked(SAYING) as right:
            left.send_signal(signal.SIGKILL)
            assert await left.wait() == -signal.SIGKILL
            assert right.stdin is not None
            assert right.stdout is not None
            assert await right.stdout.receive()
            await right.stdin.send(b"3\n")
            assert await right.wait() == 3
            with pytest.raises(anyio.EndOfStream):
                await right.stdout.receive()


def test_a_module_that_is_at_fault_leaves_with_1_and_says_why() -> None:
    with fork(SAYING) as process:
        assert process.stdin is not None
        assert process.stderr is not None
        process.stdin.write(b"what\n")
        assert process.wait(30) == 1
        assert b"ValueError" in process.stderr.read()


def test_a_program_that_stands_in_for_one_has_its_streams_and_ends_as_it_does() -> None:
    program, arguments = as_command(SAYING, "a")
    with subprocess.Popen(
        [program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE
    ) as process:
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stderr is not None
        assert json.loads(process.stdout.readline())[0] == ["a"]
        process.stdin.write(b"7\n")
        process.stdin.flush()
        assert process.stdout.read() == b""
        assert process.wait(30) == 7
        assert process.stderr.read() == b"complaint"


def test_the_process_behind_one_that_is_killed_ends_with_it() -> None:
    program, arguments = as_command(SAYING)
    with subprocess.Popen([program, *arguments], stdin=subprocess.PIPE, stdout=subprocess.PIPE) as process:
        assert process.stdout is not None
        assert process.stdout.readline()
        process.kill()
        assert process.stdout.read() == b""
