"""The command as a whole: its options follow the tools, and its help tells all of it."""

import subprocess
import sys
from importlib.metadata import version

import pytest
import typer
from pydantic import BaseModel
from typer.testing import CliRunner

from rushes.server.commands.options import with_options_of
from rushes.tools import CancelTask, GenerateAudio, GenerateImage, GenerateVideo, ListModels, ListTasks

from .command import process, rushes, terminal_shows, visible


def test_the_version_is_told() -> None:
    assert process("--version").out == f"rushes {version('rushes')}\n"


def test_the_installed_script_is_the_same_command() -> None:
    script = [sys.executable, "-c", "from rushes.server.cli import main; main()", "--version"]
    done = subprocess.run(script, capture_output=True, text=True, check=True)
    assert done.stdout == f"rushes {version('rushes')}\n"


GENERATES = {"--no-wait", "--yes", "--wait", "--output", "--variations", "--json"}
SPELT = {"--from-task": "--from"}


@pytest.mark.parametrize(
    ("command", "model", "own"),
    [
        (["generate", "video"], GenerateVideo, GENERATES),
        (["generate", "image"], GenerateImage, GENERATES),
        (["generate", "audio"], GenerateAudio, GENERATES),
        (["tasks"], ListTasks, {"--json"}),
        (["cancel"], CancelTask, {"--wait", "--json"}),
        (["models"], ListModels, {"--json"}),
    ],
)
def test_every_input_of_a_tool_is_an_option_of_its_command(
    command: list[str], model: type[BaseModel], own: set[str]
) -> None:
    _, text = terminal_shows(*command, "--help", columns=120)
    shown = {word for word in visible(text).replace("/", " ").split() if word.startswith("--")}
    positional = {"prompt", "task_id", "wait_seconds"}
    options = {f"--{name.replace('_', '-')}" for name in model.model_fields if name not in positional}
    expected = {SPELT.get(option, option) for option in options} | own
    assert expected <= shown
    assert {word for word in shown if not word.startswith("--no-")} - expected == {"--help"}


def test_help_names_every_command_and_the_exit_codes() -> None:
    out = rushes("--help").out
    for command in ("generate", "check", "view", "tasks", "cancel", "models", "serve", "doctor"):
        assert command in out
    assert "3 still running" in out


@pytest.mark.parametrize("transport", ["http", "sse"])
def test_an_address_that_others_can_reach_is_refused(transport: str) -> None:
    run = rushes("serve", "--transport", transport, "--host", "0.0.0.0", code=2)  # noqa: S104
    assert "loopback" in run.err
    assert run.out == ""


def test_a_wrong_setting_keeps_the_server_from_starting() -> None:
    assert "RUSHES_LOG_LEVEL" in process("serve", code=2, RUSHES_LOG_LEVEL="loud").err


def test_serving_ends_by_itself_when_the_host_closes_stdin() -> None:
    assert process("serve").out == ""


class Wish(BaseModel):
    prompt: str | None = None
    from_task: str | None = None


@pytest.mark.parametrize(
    ("arguments", "typed"),
    [
        (["--from", "last"], {"from_task": "last"}),
        (["with rain", "--from", "01M7"], {"prompt": "with rain", "from_task": "01M7"}),
        (["a fox"], {"prompt": "a fox"}),
    ],
)
def test_a_task_is_begun_from_another_with_an_option_that_people_write(
    arguments: list[str], typed: dict[str, str]
) -> None:
    seen: list[dict[str, object]] = []

    def run(typed: dict[str, object]) -> None:
        seen.append(typed)

    command = typer.Typer()
    command.command()(with_options_of(Wish, run, argument="prompt"))

    assert CliRunner().invoke(command, arguments).exit_code == 0
    assert seen == [typed]
