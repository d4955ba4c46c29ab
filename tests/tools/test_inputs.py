"""What agents send as arguments, and what becomes of it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import JsonValue, ValidationError

from rushes.domain.principal import LOCAL
from rushes.tasks.service import MediaSource
from rushes.tools import (
    CheckTask,
    GenerateAudio,
    GenerateImage,
    GenerateVideo,
    ListTasks,
    unknown_arguments,
    validation_sentences,
    wish_of,
)


def complaints(model: type[GenerateVideo | GenerateImage | GenerateAudio | ListTasks], **arguments: object) -> str:
    with pytest.raises(ValidationError) as caught:
        model.model_validate({"prompt": "a red fox", **arguments} if "prompt" in model.model_fields else arguments)
    return " ".join(validation_sentences(caught.value))


def video(**arguments: object) -> GenerateVideo:
    return GenerateVideo.model_validate({"prompt": "a red fox", **arguments})


def test_a_wish_holds_everything_that_was_asked_for() -> None:
    asked = video(
        model="veo-3.1",
        provider="apixo",
        seed=7,
        count=2,
        duration_seconds=8,
        aspect_ratio="16:9",
        resolution="1080P",
        audio=True,
        negative_prompt="rain",
        watermark=False,
        quality="Fast",
        image="https://example.com/first.png",
        last_frame="task:01A#2",
        reference_images=["https://example.com/r.png"],
        reference_videos=["https://example.com/r.mp4"],
        reference_audios=["https://example.com/r.wav"],
        provider_options={"camera": {"fixed": True}},
        output_name="fox",
        force_new=True,
    )

    wish = wish_of(asked, principal=LOCAL, local_files=True)

    assert wish.request.model_dump(exclude_none=True, exclude={"media"}) == {
        "kind": "video",
        "prompt": "a red fox",
        "model": "veo-3.1",
        "seed": 7,
        "count": 2,
        "duration_seconds": 8.0,
        "aspect_ratio": "16:9",
        "resolution": "1080p",
        "audio": True,
        "negative_prompt": "rain",
        "watermark": False,
        "quality": "fast",
        "provider_options": {"camera": {"fixed": True}},
    }
    assert wish.media == (
        MediaSource("image", "https://example.com/first.png"),
        MediaSource("last_frame", "task:01A#2"),
        MediaSource("reference_image", "https://example.com/r.png"),
        MediaSource("reference_video", "https://example.com/r.mp4"),
        MediaSource("reference_audio", "https://example.com/r.wav"),
    )
    assert (wish.provider, wish.output_name, wish.force_new, wish.principal, wish.local_files) == (
        "apixo",
        "fox",
        True,
        LOCAL,
        True,
    )


def test_images_and_mask_become_media_of_an_image_request() -> None:
    asked = GenerateImage.model_validate({"prompt": "hat", "images": ["/a.png", "/b.png"], "mask": "/m.png"})

    wish = wish_of(asked, principal=LOCAL, local_files=False)

    assert [(medium.role, medium.text) for medium in wish.media] == [
        ("input_image", "/a.png"),
        ("input_image", "/b.png"),
        ("mask", "/m.png"),
    ]
    assert wish.request.kind == "image"
    assert not wish.local_files


def test_an_audio_request_has_no_media() -> None:
    asked = GenerateAudio.model_validate({"prompt": "hello", "voice": "alloy", "speed": "1.5"})

    wish = wish_of(asked, principal=LOCAL, local_files=True)

    assert (wish.request.kind, wish.request.voice, wish.request.speed, wish.media) == ("audio", "alloy", 1.5, ())


@pytest.mark.parametrize("nothing", [None, ""])
def test_null_and_empty_text_are_the_same_as_not_given(nothing: object) -> None:
    names = [name for name in GenerateVideo.model_fields if name != "prompt"]

    assert video(**dict.fromkeys(names, nothing)) == video()


def test_lists_objects_and_numbers_may_come_as_text() -> None:
    asked = video(
        reference_images='["https://example.com/a.png"]',
        provider_options='{"camera": "fixed"}',
        duration_seconds="8",
        count="2",
        seed="5",
        audio="true",
        resolution=720,
    )

    assert asked.reference_images == ["https://example.com/a.png"]
    assert asked.provider_options == {"camera": "fixed"}
    assert (asked.duration_seconds, asked.count, asked.seed, asked.audio) == (8.0, 2, 5, True)
    assert asked.resolution == "720p"


@pytest.mark.parametrize("named", ["standard", "Pro"])
def test_a_resolution_may_be_one_of_the_named_tiers_that_some_models_have(named: str) -> None:
    assert video(resolution=named).resolution == named.lower()


def test_one_medium_may_stand_where_a_list_is_expected() -> None:
    assert video(reference_images="https://example.com/a.png").reference_images == ["https://example.com/a.png"]


@pytest.mark.parametrize(
    ("given_ratio", "meant"), [("16:9", "16:9"), (" 9x16 ", "9:16"), ("21/9", "21:9"), ("Auto", "auto"), ("1:1", "1:1")]
)
def test_an_aspect_ratio_is_read_in_its_usual_spellings(given_ratio: str, meant: str) -> None:
    assert video(aspect_ratio=given_ratio).aspect_ratio == meant


@pytest.mark.parametrize(
    ("argument", "value", "advice"),
    [
        ("aspect_ratio", "1920x1080", "use aspect_ratio 16:9 and resolution 1080p"),
        ("aspect_ratio", "roundish", "W:H such as 16:9"),
        ("aspect_ratio", "0:9", "must be W:H such as 16:9"),
        ("aspect_ratio", 1.78, "must be W:H such as 16:9"),
        ("resolution", "3840x2160", "use aspect_ratio 16:9 and resolution 4k"),
        ("resolution", "high", "must be a tier such as 480p"),
        ("count", 0, "count must be at least 1, not 0"),
        ("count", 11, "count must be at most 10, not 11"),
        ("duration_seconds", 0, "duration_seconds must be more than 0"),
        ("duration_seconds", "long", "duration_seconds must be a number, not 'long'"),
        ("duration_seconds", "nan", "duration_seconds must be"),
        ("seed", 1.5, "seed must be a whole number"),
        ("seed", "1" + "0" * 5000, "seed must be a smaller whole number"),
        ("audio", "perhaps", "audio must be true or false, not 'perhaps'"),
        ("reference_images", 5, "reference_images must be a list of texts"),
        ("reference_images", [{"url": "x"}], "reference_images.0 must be a text"),
        ("provider_options", "{broken", "provider_options must be an object"),
        ("output_name", "../fox", "must be a plain file name without folders"),
        ("output_name", "x" * 101, "may have at most 100 characters"),
        ("wait_seconds", -1, "wait_seconds must be at least 0"),
        ("wait_seconds", 10**400, "wait_seconds must be a number"),
        ("prompt", "", "prompt must not be blank"),
        ("prompt", "  ", "prompt must not be blank"),
        ("prompt", "x" * 100_001, "prompt may have at most 100000 characters"),
        ("prompt", None, "prompt is required"),
    ],
)
def test_a_wrong_value_is_answered_with_what_would_be_right(argument: str, value: object, advice: str) -> None:
    said = complaints(GenerateVideo, **{argument: value})

    assert advice in said
    assert "pydantic" not in said


def test_a_size_is_read_in_its_usual_spellings_and_a_tier_is_sent_to_resolution() -> None:
    assert GenerateImage.model_validate({"prompt": "x", "size": "1024*768"}).size == "1024x768"
    assert GenerateImage.model_validate({"prompt": "x", "size": "AUTO"}).size == "auto"
    assert "for a tier use resolution" in complaints(GenerateImage, size="2K")
    assert "must be WIDTHxHEIGHT" in complaints(GenerateImage, size="large")


@pytest.mark.parametrize(("given_format", "meant"), [("JPG", "jpeg"), ("image/png", "png"), (".webp", "webp")])
def test_an_output_format_is_known_by_its_usual_names(given_format: str, meant: str) -> None:
    assert GenerateImage.model_validate({"prompt": "x", "output_format": given_format}).output_format == meant


def test_a_mask_without_an_image_is_refused() -> None:
    assert complaints(GenerateImage, mask="/m.png") == "Mask needs images: the image to edit."


@pytest.mark.parametrize(("asked", "waited"), [(0, 0), ("30", 30), (45, 45), (600, 45), ("600", 45)])
def test_a_wait_is_at_most_45_seconds(asked: object, waited: float) -> None:
    assert video(wait_seconds=asked).wait_seconds == waited
    assert CheckTask.model_validate({"task_id": "01A", "wait_seconds": asked}).wait_seconds == waited


def test_a_filter_must_be_a_state_there_is() -> None:
    assert "state must be 'queued', 'running', 'succeeded'" in complaints(ListTasks, state="done")
    assert ListTasks.model_validate({"state": "Failed"}).state == "failed"


def test_a_wrong_value_is_repeated_only_in_short() -> None:
    said = complaints(GenerateVideo, audio="x" * 5000)

    assert len(said) < 150


def test_an_unknown_argument_is_answered_with_the_one_that_was_meant() -> None:
    assert unknown_arguments({"duration": 5}, GenerateVideo) == [
        "Unknown argument 'duration'. Did you mean 'duration_seconds'?"
    ]
    assert unknown_arguments({"zzz": 5}, GenerateVideo) == ["Unknown argument 'zzz'."]
    assert unknown_arguments({"prompt": "x"}, GenerateVideo) == []


json_values: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(GenerateVideo.model_fields)), json_values))
def test_whatever_comes_is_either_a_wish_or_a_sentence_for_each_fault(arguments: dict[str, JsonValue]) -> None:
    try:
        asked = GenerateVideo.model_validate(arguments)
    except ValidationError as error:
        sentences = validation_sentences(error)
        assert sentences
        assert all(len(sentence) < 400 and sentence.endswith(".") for sentence in sentences)
    else:
        wish = wish_of(asked, principal=LOCAL, local_files=False)
        assert json.loads(wish.request.model_dump_json())["kind"] == "video"


@pytest.mark.parametrize(
    "written",
    [
        "01M7X5VDC383GYC4B71D3FBH74",
        " 01m7x5vdc383gyc4b71d3fbh74 ",
        "task:01M7X5VDC383GYC4B71D3FBH74",
        "task:01m7x5vdc383gyc4b71d3fbh74#2",
    ],
)
def test_a_task_id_may_be_written_as_in_a_file_name_or_as_a_reference(written: str) -> None:
    assert CheckTask.model_validate({"task_id": written}).task_id == "01M7X5VDC383GYC4B71D3FBH74"


def test_a_text_that_is_no_task_id_is_left_as_it_is_for_the_message() -> None:
    assert CheckTask.model_validate({"task_id": "nope"}).task_id == "nope"
