"""What a person at a terminal does with it: prompts from pipes, files where they want them, short names for tasks."""

import io
import os
import sys
from pathlib import Path

import pytest
from PIL import Image

from .command import rushes, terminal_shows, visible

SMALL = ("--size", "128x128")


def made(*arguments: str, prompt: str = "a lighthouse") -> str:
    task_id = rushes("generate", "image", prompt, *SMALL, *arguments, "--json").document["task_id"]
    assert isinstance(task_id, str)
    return task_id


def nothing_was_made() -> bool:
    return not rushes("tasks", "--json").document["tasks"]


def test_a_prompt_comes_from_standard_input(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO("a fox\nin the snow\n"))
    shown = rushes("generate", "image", "-", *SMALL, "--dry-run", "--json").document

    assert shown["prompt"] == "a fox\nin the snow"


@pytest.mark.parametrize("text", ["", " \n"])
def test_an_empty_standard_input_is_no_prompt_and_makes_nothing(text: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO(text))
    run = rushes("generate", "image", "-", code=2)

    assert "prompt on standard input is empty" in run.err
    assert nothing_was_made()


def test_the_file_is_put_where_it_is_wanted_in_the_format_of_its_name_and_kept_too(tmp_path: Path) -> None:
    target = tmp_path / "light.png"
    shown = rushes("generate", "image", "a lighthouse", *SMALL, "-o", str(target), "--json").document

    assert shown["saved"] == [str(target)]
    with Image.open(target) as picture:
        assert (picture.format, picture.size) == ("PNG", (128, 128))
    assert target.read_bytes() == Path(shown["outputs"][0]["path"]).read_bytes()


@pytest.mark.skipif(not Path("/proc").is_dir(), reason="a folder into which nobody can write")
def test_a_file_that_cannot_be_put_where_it_is_wanted_is_no_success_and_is_kept() -> None:
    run = rushes("generate", "image", "a lighthouse", *SMALL, "-o", "/proc/light.png", "--json", code=3)
    shown = run.document

    assert shown["saved"] == []
    assert "could not be written to /proc/light.png" in str(shown["warnings"])
    assert Path(shown["outputs"][0]["path"]).is_file()


def test_a_usual_word_for_a_shape_is_told_after_the_wait_too() -> None:
    shown = rushes("generate", "image", "a kite", "--aspect-ratio", "landscape", "--json").document

    assert "aspect_ratio 'landscape' was read as 16:9." in shown["warnings"]


def test_what_an_equal_call_leaves_without_effect_is_told_after_the_wait_too() -> None:
    rushes("generate", "image", "a kite", *SMALL)
    shown = rushes("generate", "image", "a kite", *SMALL, "--output-name", "red", "--json").document

    assert "output_name 'red' was not used" in str(shown["warnings"])


def test_several_files_are_numbered_and_a_folder_takes_them_under_their_own_names(tmp_path: Path) -> None:
    run = rushes("generate", "image", "two", *SMALL, "--count", "2", "-o", str(tmp_path / "light.jpg"))
    kept = rushes("check", "last", "-o", str(tmp_path), "--json").document["outputs"]

    assert {path.name for path in tmp_path.glob("light*")} == {"light-1.jpg", "light-2.jpg"}
    assert f"saved as {tmp_path}/light-1.jpg" in run.out
    assert all((tmp_path / Path(output["path"]).name).is_file() for output in kept)


def test_a_place_where_the_file_cannot_be_put_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    there = tmp_path / "there.png"
    there.write_bytes(b"mine")
    for target, words in (
        (there, "exists already"),
        (tmp_path / "no" / "fox.png", "no folder"),
        (tmp_path / "fox.mp4", "name of video, not of image"),
    ):
        assert words in rushes("generate", "image", "a fox", "-o", str(target), code=2).err
    assert "--no-wait" in rushes("generate", "image", "a fox", "-o", str(tmp_path), "--no-wait", code=2).err
    assert there.read_bytes() == b"mine"
    assert nothing_was_made()


def test_a_file_whose_name_says_another_format_is_said_to(tmp_path: Path) -> None:
    made("--output-format", "jpeg")
    run = rushes("check", "last", "-o", str(tmp_path / "light.webp"))

    assert "holds image/jpeg, whatever its name says" in run.out


def test_variations_are_tasks_with_seeds_of_their_own(tmp_path: Path) -> None:
    arguments = ("--variations", "3", "--seed", "7", "-o", str(tmp_path / "v.png"))
    tasks = rushes("generate", "image", "a fox", *SMALL, *arguments, "--json").document["tasks"]

    assert [task["seed"] for task in tasks] == [7, 8, 9]
    assert len({task["task_id"] for task in tasks}) == 3
    assert [task["saved"] for task in tasks] == [[str(tmp_path / f"v-{number}.png")] for number in (1, 2, 3)]
    assert len({(tmp_path / f"v-{number}.png").read_bytes() for number in (1, 2, 3)}) == 3


def test_one_variation_that_fails_is_told_by_the_exit_code() -> None:
    run = rushes("generate", "image", "a fox [fail:content_violation]", *SMALL, "--variations", "2", code=1)

    assert run.out.count("content_violation") >= 2


def test_a_task_is_named_by_the_beginning_of_its_id_and_the_newest_by_last() -> None:
    first, second = made(prompt="one"), made(prompt="two")
    told_apart = next(length for length in range(4, 26) if first[:length] != second[:length])

    assert rushes("check", first[:told_apart], "--json").document["task_id"] == first
    assert rushes("check", second[:told_apart].lower(), "--json").document["task_id"] == second
    assert rushes("check", "last", "--json").document["task_id"] == second
    assert rushes("cancel", "last", "--json").document["task_id"] == second
    both = rushes("check", first[:4], code=2).err
    assert first in both
    assert second in both


def test_a_short_name_stands_for_an_input_too() -> None:
    first = made()
    shown = rushes("generate", "video", "it calms", "--image", "task:last#1", "--dry-run", "--json").document

    assert f"task:{first}#1" in str(shown["payload"])


def test_a_beginning_that_no_task_has_is_said_to_be_none() -> None:
    assert "No task's id begins with 01AAAA" in rushes("check", "01AAAA", code=2).err
    assert "no task yet" in rushes("check", "last", code=2).err


def test_the_list_has_file_and_model_on_one_line_each_in_a_pipe() -> None:
    task_id = made()
    header, line = rushes("tasks").out.splitlines()

    assert header.split() == ["task", "age", "kind", "state", "model", "cost", "file", "prompt"]
    assert line.startswith(task_id)
    assert "sandbox-image" in line
    assert any(Path(word).is_file() for word in line.split())


@pytest.mark.parametrize("columns", [40, 80, 120])
def test_the_list_tells_state_prompt_and_file_however_narrow_the_terminal(columns: int) -> None:
    task_id = made(prompt="a lighthouse in a storm of the century")
    _, text = terminal_shows("tasks", columns=columns)
    shown = visible(text)

    assert max(len(line.rstrip()) for line in shown.splitlines()) <= columns
    assert "✔ succeeded" in shown
    assert task_id[:8] in shown
    assert "a lighthouse in a storm" in shown
    assert "a-lighthouse-in-a-storm" in shown


def test_view_opens_the_file_with_the_program_of_the_desktop(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made()
    opener = tmp_path / ("open" if sys.platform == "darwin" else "xdg-open")
    opener.write_text(f'#!/bin/sh\nprintf %s "$1" > {tmp_path}/opened\n', encoding="utf-8")
    opener.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}{os.pathsep}{os.environ['PATH']}")
    run = rushes("view", "last", DISPLAY=":0")

    assert (tmp_path / "opened").read_text(encoding="utf-8") == run.out.strip()
    assert Path(run.out.strip()).is_file()


@pytest.mark.skipif(sys.platform == "darwin", reason="a Mac always has a desktop")
def test_view_says_where_the_file_is_where_there_is_no_desktop(monkeypatch: pytest.MonkeyPatch) -> None:
    made()
    for name in ("DISPLAY", "WAYLAND_DISPLAY"):
        monkeypatch.delenv(name, raising=False)
    run = rushes("view", "last")

    assert Path(run.out.strip()).is_file()
    assert "No program here opens it" in run.err


def test_view_of_what_failed_tells_why() -> None:
    rushes("generate", "image", "a fox [fail:content_violation]", code=1)

    assert "content_violation" in rushes("view", "last", code=1).out


def test_no_file_on_disk_is_no_check_mark_and_no_success() -> None:
    run = rushes("generate", "image", "a fox [expire]", *SMALL, "--wait", "1", code=3)
    for _ in range(20):
        assert "✔" not in run.out
        if "running" not in run.out and "queued" not in run.out:
            break
        run = rushes("check", "last", "--wait", "1", code=3)

    assert "is not on disk yet" in run.out or "is lost" in run.out


def test_a_look_that_finds_the_end_waits_for_the_file() -> None:
    rushes("generate", "image", "a fox", *SMALL, "--no-wait", code=3)
    shown = rushes("check", "last", "--wait", "60", "--json").document

    assert Path(shown["outputs"][0]["path"]).is_file()


@pytest.mark.parametrize("command", [["tasks"], ["models"], ["check", "last"]])
def test_a_command_that_only_asks_is_refused_without_state_and_money(command: list[str]) -> None:
    document = rushes(*command, "--json", code=2, RUSHES_LOG_LEVEL="loud").document

    assert set(document) == {"error"}
    assert "RUSHES_LOG_LEVEL" in document["error"]["message"]


def test_leaving_without_anybody_who_follows_says_so() -> None:
    run = rushes("generate", "image", "a fox [slow:60]", *SMALL, "--no-wait", code=3)

    assert "Nobody looks after it until some rushes runs again" in run.err
