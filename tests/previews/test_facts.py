"""The line of facts beside a small picture."""

import pytest

from rushes.domain.record import KeptMedia, Output
from rushes.domain.request import GenerationRequest, Kind
from rushes.tasks.previews.facts_line import differences, facts_line

from ..altered import remeasured
from ..tools.fake_service import record

VIDEO = Output(
    kept=KeptMedia(
        path="/out/1",
        bytes=1_234_567,
        width=1280,
        height=720,
        duration_seconds=5.0,
        frame_rate=24.0,
        has_audio=True,
        mime_type="video/mp4",
    )
)


def found(asked: dict[str, object], output: Output = VIDEO, kind: Kind = "video") -> list[str]:
    request = GenerationRequest.model_validate({"kind": kind, "prompt": "a red fox", **asked})
    assert output.kept is not None
    return differences(request, output.kept)


def test_the_line_tells_what_was_measured() -> None:
    line = facts_line(record(outputs=(VIDEO, VIDEO)), 2)

    assert line == "Output 2 of 2 of task 01TASK: video 1280x720, 5.0 s, 24 fps, with sound, 1.2 MB (video/mp4)."


def test_small_outputs_are_measured_finely() -> None:
    blink = remeasured(VIDEO, duration_seconds=0.0417, bytes=133_616)

    assert "1280x720, 0.04 s, 24 fps, with sound, 133.6 KB" in facts_line(record(outputs=(blink,)), 1)


def test_the_line_tells_where_the_output_differs_from_what_was_asked() -> None:
    request = {"kind": "video", "prompt": "x", "duration_seconds": 8, "audio": False}

    assert facts_line(record(request=request, outputs=(VIDEO,)), 1).endswith(
        "Differs from what was asked: 5.0 s instead of 8 s; sound, although none was asked for."
    )


def test_what_was_asked_for_and_came_is_not_worth_a_word() -> None:
    assert found({"duration_seconds": 5, "aspect_ratio": "16:9", "resolution": "720p", "audio": True}) == []
    assert found({}) == []
    assert (
        found(
            {"duration_seconds": 5, "size": "10x10", "audio": True, "output_format": "png"},
            Output(kept=KeptMedia(path="/out/1")),
        )
        == []
    )


@pytest.mark.parametrize(
    ("asked", "difference"),
    [
        ({"duration_seconds": 8}, "5.0 s instead of 8 s"),
        ({"aspect_ratio": "9:16"}, "1280x720 is not 9:16"),
        ({"resolution": "1080p"}, "720p instead of 1080p"),
        ({"resolution": "4k"}, "720p instead of 4k"),
        ({"audio": False}, "sound, although none was asked for"),
    ],
)
def test_each_difference_of_a_video_is_named(asked: dict[str, object], difference: str) -> None:
    assert found(asked) == [difference]


def test_missing_sound_is_named() -> None:
    assert found({"audio": True}, remeasured(VIDEO, has_audio=False)) == ["no sound, although it was asked for"]


@pytest.mark.parametrize("nearly", [4.96, 5.04, 5.1])
def test_a_duration_rounded_to_frames_is_no_difference(nearly: float) -> None:
    assert found({"duration_seconds": 5}, remeasured(VIDEO, duration_seconds=nearly)) == []


def test_an_image_of_another_size_or_format_is_named() -> None:
    image = Output(kept=KeptMedia(path="/out/1", width=1024, height=1024, mime_type="image/jpeg"))

    assert found({"size": "1536x1024"}, image, "image") == ["1024x1024 instead of 1536x1024"]
    assert found({"output_format": "png"}, image, "image") == ["jpeg instead of png"]
    assert found({"output_format": "jpg", "aspect_ratio": "1:1", "size": "auto"}, image, "image") == []


def test_an_mp3_is_an_mpeg() -> None:
    assert found({"output_format": "mp3"}, Output(kept=KeptMedia(path="/out/1", mime_type="audio/mpeg")), "audio") == []
