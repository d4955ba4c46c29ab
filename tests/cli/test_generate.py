"""`rushes generate`: makes real media on the sandbox, tells the truth about what happened, and never pays twice."""

import wave
from fractions import Fraction
from pathlib import Path
from typing import Any, cast

import av
import pytest
from PIL import Image

from .command import process, rushes


def only_output(document: dict[str, Any]) -> dict[str, Any]:
    (output,) = cast("list[dict[str, Any]]", document["outputs"])
    return output


def test_a_video_is_made_and_decodes_as_promised() -> None:
    run = process(
        "generate", "video", "a red fox running through snow", "--duration-seconds", "2", "--resolution", "480p",
        "--aspect-ratio", "16:9", "--json",
    )  # fmt: skip
    task = run.document
    output = only_output(task)
    assert (task["state"], task["provider"], "failure" in task) == ("succeeded", "sandbox", False)
    assert any("sandbox" in warning for warning in task["warnings"])
    with av.open(str(output["path"]), "r") as container:
        stream = container.streams.video[0]
        assert stream.codec_context.name == "h264"
        assert (stream.width, stream.height) == (output["width"], output["height"])
        assert abs(Fraction(stream.width, stream.height) - Fraction(16, 9)) < Fraction(1, 50)
        assert sum(1 for _ in container.decode(stream)) > 10
        assert container.duration is not None
        assert container.duration / av.time_base == pytest.approx(2, abs=0.2)
    assert output["duration_seconds"] == pytest.approx(2, abs=0.2)
    assert Path(output["path"]).stat().st_size == output["bytes"]
    assert run.err == ""


def test_an_image_is_made_in_the_format_and_number_asked_for() -> None:
    run = rushes(
        "generate", "image", "a lighthouse", "--output-format", "webp", "--count", "2", "--size", "320x200", "--json"
    )
    outputs = run.document["outputs"]
    assert len(outputs) == 2
    for output in outputs:
        with Image.open(output["path"]) as image:
            image.load()
            assert (image.format, image.size) == ("WEBP", (320, 200))


def test_sound_is_made() -> None:
    output = only_output(rushes("generate", "audio", "thunder", "--output-format", "wav", "--json").document)
    with wave.open(output["path"]) as sound:
        assert sound.getnframes() / sound.getframerate() == pytest.approx(output["duration_seconds"], abs=0.1)


def test_people_get_the_kept_files_path_on_a_line_of_its_own(isolated_environment: Path) -> None:
    run = process("generate", "image", "a lighthouse")
    (path,) = (line.strip() for line in run.out.splitlines() if line.strip().startswith(str(isolated_environment)))
    assert Path(path).is_file()
    assert "succeeded" in run.out
    assert "\x1b" not in run.out
    assert run.err == ""


def test_a_local_file_becomes_the_first_frame_wherever_it_lies(tmp_path: Path) -> None:
    frame = tmp_path / "frame.png"
    Image.new("RGB", (320, 180), "navy").save(frame)
    run = rushes("generate", "video", "dusk", "--image", str(frame), "--duration-seconds", "1", "--json")
    assert run.document["state"] == "succeeded"


def test_an_output_becomes_an_input_by_the_id_of_its_task() -> None:
    first = rushes("generate", "image", "a lighthouse", "--json").document
    second = rushes("generate", "image", "at night", "--images", f"task:{first['task_id']}#1", "--json").document
    assert second["state"] == "succeeded"


def test_the_same_request_again_is_the_same_task_unless_a_new_one_is_asked_for() -> None:
    first = rushes("generate", "image", "a lighthouse", "--seed", "7", "--json").document
    again = rushes("generate", "image", "a lighthouse", "--seed", "7", "--json").document
    new = rushes("generate", "image", "a lighthouse", "--seed", "7", "--force-new", "--json").document
    assert (again["task_id"], again["deduplicated"]) == (first["task_id"], True)
    assert (new["task_id"] == first["task_id"], "deduplicated" in new) == (False, False)
    assert only_output(new)["sha256"] == only_output(first)["sha256"]


def test_a_dry_run_shows_the_payload_and_makes_no_task() -> None:
    preview = rushes("generate", "video", "a fox", "--duration-seconds", "3", "--dry-run", "--json").document
    assert preview["provider"] == "sandbox"
    assert preview["payload"]["duration_seconds"] == 3
    assert rushes("tasks", "--json").document["tasks"] == []


def test_a_dry_run_reads_well() -> None:
    out = rushes("generate", "image", "a fox", "--dry-run").out
    assert "Nothing was sent" in out
    assert '"model": "sandbox-image"' in out


@pytest.mark.parametrize("reason", ["content_violation", "insufficient_credits"])
def test_a_failed_task_leaves_with_1_and_its_reason(reason: str) -> None:
    run = rushes("generate", "image", f"a fox [fail:{reason}]", code=1)
    assert reason in run.out
    assert "charged" in run.out


def test_a_failed_task_has_its_failure_in_the_document() -> None:
    failure = rushes("generate", "image", "a fox [fail:content_violation]", "--json", code=1).document["failure"]
    assert failure["reason"] == "content_violation"
    assert failure["charged"] in {"yes", "no", "unknown"}
    assert failure["hint"]


def test_a_refused_submission_leaves_with_1_and_says_that_nothing_was_charged() -> None:
    run = rushes("generate", "image", "a fox [refuse:unauthorized]", code=1)
    assert "unauthorized" in run.out
    assert "Nothing was charged" in run.out


def test_a_lost_answer_is_unknown_and_says_so() -> None:
    task = rushes("generate", "image", "a fox [lost]", "--json", code=1).document
    assert task["state"] == "unknown"
    assert task["failure"]["reason"] == "outcome_unknown"


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["image", "a fox", "--aspect-ratio", "banana"], "16:9"),
        (["image", "a fox", "--count", "many"], "count must be a whole number"),
        (["image", "   "], "blank"),
        (["video", "a fox", "--duration-seconds", "900"], "60"),
        (["image", "a fox", "--provider", "sandbux"], "'sandbox'"),
        (["image", "a fox", "--provider", "apixo"], "APIXO_API_KEY"),
        (["video", "a fox", "--image", "no-such-file.png"], "no-such-file.png"),
        (["image", "a fox", "--provider-options", "{not json"], "provider_options must be an object"),
        (["image", "a fox [fail:sadness]"], "steering word"),
    ],
)
def test_what_cannot_be_leaves_with_2_before_anything_is_made(arguments: list[str], words: str) -> None:
    run = rushes("generate", *arguments, "--json", code=2)
    document = run.document
    assert "task_id" not in document
    assert document["failure"]["charged"] == "no"
    assert words in document["failure"]["message"]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["generate", "image", "a fox", "--aspect", "1:1"], "--aspect-ratio"),
        (["generate", "film", "a fox"], "film"),
        (["generate", "image", "a fox", "--wait-seconds", "-1"], "wait-seconds"),
    ],
)
def test_a_command_that_makes_no_sense_leaves_with_2_and_help(arguments: list[str], words: str) -> None:
    run = rushes(*arguments, code=2)
    assert words in run.err
    assert run.out == ""


def test_a_wrong_setting_leaves_with_2_and_its_name() -> None:
    run = rushes("generate", "image", "a fox", "--json", code=2, RUSHES_LOG_LEVEL="loud")
    assert "RUSHES_LOG_LEVEL" in run.err
    assert "RUSHES_LOG_LEVEL" in run.document["failure"]["message"]
    assert run.document["failure"]["charged"] == "no"


def test_a_home_that_is_no_folder_leaves_with_2_and_says_that_nothing_was_sent(tmp_path: Path) -> None:
    occupied = tmp_path / "a-file"
    occupied.write_text("not a folder", encoding="utf-8")
    run = rushes("generate", "image", "a fox", "--json", code=2, RUSHES_HOME=str(occupied))
    assert str(occupied) in run.err
    assert "set RUSHES_HOME" in run.err
    assert run.document["failure"]["charged"] == "no"


def test_without_waiting_it_leaves_with_3_and_a_later_look_finishes_the_task() -> None:
    started = rushes("generate", "image", "a fox [slow:1]", "--no-wait", "--json", code=3).document
    assert started["state"] in {"queued", "running"}
    seen = rushes("check", started["task_id"], "--wait", "60", "--json").document
    assert (seen["state"], seen["task_id"]) == ("succeeded", started["task_id"])


def test_a_bounded_wait_leaves_with_3_and_says_how_to_look_again() -> None:
    run = rushes("generate", "image", "a fox [slow:60]", "--wait-seconds", "0.5", code=3)
    assert "rushes check" in run.out


def test_a_generation_needs_a_prompt_or_a_task_to_start_from() -> None:
    assert "it is missing" in rushes("generate", "image", code=2).err
