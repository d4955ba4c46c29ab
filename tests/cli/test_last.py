"""The newest task as `last`, also as a medium; and beginnings of ids that are too short to say anything."""

from pathlib import Path

import pytest
from PIL import Image

from .command import rushes
from .test_person import made


@pytest.mark.parametrize(("written", "read"), [("last", "#1"), ("last#1", "#1"), ("LAST", "#1"), ("task:last", "#1")])
def test_last_is_the_newest_task_as_a_medium(written: str, read: str) -> None:
    first = made()
    shown = rushes("generate", "video", "it calms", "--image", written, "--dry-run", "--json").document

    assert f"task:{first}{read}" in str(shown["payload"])


def test_a_file_of_that_name_is_given_with_its_folder_and_other_options_keep_the_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (32, 32)).save("last", "png")
    shown = rushes(
        "generate", "video", "it calms", "--image", "./last", "--output-name", "last", "--dry-run", "--json"
    ).document

    assert "last (image/png" in str(shown["payload"])


@pytest.mark.parametrize("name", ["last frame.png", "last@2x.png", "last[1].png", "last#2.png"])
def test_a_file_whose_name_begins_so_is_that_file(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    Image.new("RGB", (32, 32)).save(name)
    made()
    shown = rushes("generate", "video", "it calms", "--image", name, "--dry-run", "--json").document

    assert f"{name} (image/png" in str(shown["payload"])


@pytest.mark.parametrize("written", ["last#9[3]", "last#9 [3 -6dB]", "last#9@2.5", "last#9@last"])
def test_last_may_be_followed_by_what_is_used_of_it(written: str) -> None:
    whole = f"task:{made()}{written.removeprefix('last')}"

    assert whole in rushes("assemble", written, code=2).out


def test_a_beginning_of_under_four_characters_is_said_to_be_too_short() -> None:
    first = made()
    assert "too short" in rushes("check", first[:3], code=2).err
    assert "too short" in rushes("generate", "video", "x", "--image", f"task:{first[:2]}#1", "--dry-run", code=2).err
