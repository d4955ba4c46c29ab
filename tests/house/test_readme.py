"""The README tells the truth: its commands, options, variables, tools and examples exist."""

import json
import re
import shlex
import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, cast

import typer.main

from rushes.providers.sandbox.steering import Steering, read_steering
from rushes.server.commands.app import app
from rushes.server.settings.file import parse
from rushes.server.settings.variables import Variables
from rushes.tools import ALL_TOOLS

from .checkout import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str) -> list[str]:
    """The code blocks in a language."""
    return re.findall(rf"^```{language}\n(.*?)^```", README, re.MULTILINE | re.DOTALL)


def commands() -> Iterator[list[str]]:
    """Every call of `rushes` in the shell examples, without what stands before it."""
    for line in "\n".join(blocks("sh")).splitlines():
        for part in re.split(r"&&|\s--\s", line):
            words = shlex.split(part, comments=True)
            if words and Path(words[0]).name == "rushes":
                yield words[1:]


def test_every_command_of_the_examples_is_understood() -> None:
    for words in commands():
        command = cast("Any", typer.main.get_command(app))
        rest = list(words)
        while hasattr(command, "commands"):
            command = command.commands[rest.pop(0)]
        options = {spelling for parameter in command.params for spelling in parameter.opts}
        assert {word for word in rest if word.startswith("--")} <= options, " ".join(words)


def test_there_are_examples_of_all_commands() -> None:
    assert {words[0] for words in commands()} >= {"generate", "check", "tasks", "cancel", "models", "serve", "doctor"}


def test_the_two_set_up_commands_can_be_found_by_their_marks() -> None:
    ci = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    for mark in ("try", "test"):
        assert README.count(f"<!-- {mark} -->\n```sh\n") == 1
        assert f"readme_command {mark}" in ci


def test_the_table_of_tools_names_them_all_in_order() -> None:
    section = README.split("## Tools")[1].split("##")[0]
    assert re.findall(r"^\| `(\w+)` \|", section, re.MULTILINE) == [tool.name for tool in ALL_TOOLS]


def test_the_table_of_variables_is_complete() -> None:
    section = README.split("## Configuration")[1].split("##")[0]
    named = set(re.findall(r"`(RUSHES_[A-Z_]+)`", section))
    assert named == {f"RUSHES_{name.upper()}" for name in Variables.model_fields}


def test_the_examples_of_configuration_are_accepted() -> None:
    ours = [block for block in blocks("toml") if "[providers" in block]
    assert ours
    for block in ours:
        parse(block, Path("rushes.toml"))


def test_the_examples_for_hosts_are_well_formed() -> None:
    assert all(json.loads(block) for block in blocks("json"))
    assert all(tomllib.loads(block) for block in blocks("toml"))


def test_every_steering_word_of_the_table_steers() -> None:
    section = README.split("## The sandbox")[1].split("##")[0]
    words = re.findall(r"^\| `(\[[^`]+\])` \|", section, re.MULTILINE)
    assert len(words) == len(Steering.model_fields)
    for word in words:
        assert read_steering(f"a fox {word}")[1] != Steering(), word


def test_links_to_files_lead_somewhere() -> None:
    for target in re.findall(r"\]\((?!https?://|#)([^)]+)\)", README):
        assert (ROOT / target).exists(), target
