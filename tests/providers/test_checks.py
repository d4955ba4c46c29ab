"""What rushes refuses before anything is sent, and how it says what would be accepted."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.errors import RequestRefused
from rushes.domain.model_facts import ModelFacts
from rushes.domain.request import GenerationRequest
from rushes.providers.checks import check_request, limits_of, spoken

from .replies import plan_of
from .requests import held, linked, model, request


def refusal(asked: GenerationRequest, facts: ModelFacts) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        check_request(asked, facts, "shuyou")
    assert caught.value.charged == "no"
    return caught.value


def test_a_duration_outside_the_list_is_refused_with_the_list() -> None:
    facts = model(name="veo-3.1", durations_seconds=[4, 6, 8])
    error = refusal(request(duration_seconds=7), facts)
    assert error.reason == "unsupported"
    assert error.message == "duration_seconds 7 is not offered by veo-3.1 on shuyou: 4, 6 or 8"


@pytest.mark.parametrize(
    ("asked", "facts", "reason", "message"),
    [
        (
            request(duration_seconds=2.5),
            model(duration_seconds_min=3, duration_seconds_max=15),
            "unsupported",
            "duration_seconds 2.5 is not offered by m-1 on shuyou: 3 to 15",
        ),
        (
            request(duration_seconds=99),
            model(duration_seconds_max=15),
            "unsupported",
            "duration_seconds 99 is not offered by m-1 on shuyou: at most 15",
        ),
        (
            request("audio", speed=0.1),
            model("audio", speed_min=0.5),
            "unsupported",
            "speed 0.1 is not offered by m-1 on shuyou: at least 0.5",
        ),
        (
            request(aspect_ratio="4:3"),
            model(aspect_ratios=["16:9", "9:16"]),
            "unsupported",
            "aspect_ratio 4:3 is not offered by m-1 on shuyou: 16:9 or 9:16",
        ),
        (
            request(resolution="8k"),
            model(resolutions=["720p"]),
            "unsupported",
            "resolution 8k is not offered by m-1 on shuyou: 720p",
        ),
        (
            request(seed=1),
            model(inputs=["aspect_ratio", "resolution"]),
            "unsupported",
            "seed is not an input of m-1 on shuyou; it takes aspect_ratio, resolution",
        ),
        (
            request(seed=1),
            model(inputs=[]),
            "unsupported",
            "seed is not an input of m-1 on shuyou; it takes a prompt only",
        ),
        (
            request("video", linked("reference_video")),
            model(inputs=["image"]),
            "unsupported",
            "reference_videos is not an input of m-1 on shuyou; it takes image",
        ),
        (
            request("video", linked("image")),
            model(operations={"text": {}, "references": {}}),
            "unsupported",
            "m-1 on shuyou does not generate from a first frame (image), only from text or from references",
        ),
        (
            request("video", linked("reference_image"), quality="quality"),
            model(qualities=["quality", "fast"], operations={"references": {"qualities": ["fast"]}}),
            "unsupported",
            "quality quality is not offered by m-1 on shuyou from references: fast",
        ),
        (request("image"), model("video"), "unsupported", "m-1 on shuyou makes video, not image"),
        (request("video", linked("last_frame")), model(), "invalid_input", "last_frame needs image, the first frame"),
        (
            request("image", linked("mask")),
            model("image"),
            "invalid_input",
            "mask needs images, the picture that it covers",
        ),
        (request(prompt=" \n"), model(), "invalid_input", "prompt is empty"),
        (
            request(prompt="x" * 11),
            model(prompt_characters_max=10),
            "invalid_input",
            "prompt has 11 characters; m-1 on shuyou takes at most 10",
        ),
        (
            request("audio"),
            model("audio", required_inputs=["voice"], voices=["Kore", "Puck"]),
            "invalid_input",
            "m-1 on shuyou needs voice: Kore or Puck",
        ),
        (
            request("audio"),
            model("audio", required_inputs=["voice"]),
            "invalid_input",
            "m-1 on shuyou needs voice",
        ),
        (
            request("video", *[linked("reference_image")] * 4),
            model(operations={"references": {"reference_images_max": 3}}),
            "unsupported",
            "m-1 on shuyou takes at most 3 for reference_images, not 4",
        ),
        (request(count=5), model(count_max=4), "unsupported", "m-1 on shuyou takes at most 4 for count, not 5"),
        (
            request("image", linked("input_image")),
            model("image", operations={"edit": {"images_min": 2}}),
            "invalid_input",
            "m-1 on shuyou needs at least 2 for images",
        ),
        (
            request("video", held("image")),
            model(image_forms=["url"]),
            "invalid_media",
            "shuyou takes image by https URL only, not as a file or data URL",
        ),
        (
            request("video", held("reference_video", b"mp4", "video/mp4")),
            model(image_forms=["url", "data"], media_forms=["url"]),
            "invalid_media",
            "shuyou takes reference_videos by https URL only, not as a file or data URL",
        ),
        (
            request("video", linked("image")),
            model(image_forms=["data"]),
            "invalid_media",
            "shuyou takes image as a file or data URL only, not by URL",
        ),
        (
            request("video", held("image", b"GIF89a", "image/gif")),
            model(image_forms=["data"], image_types=["image/png", "image/webp"]),
            "invalid_media",
            "image is image/gif; m-1 on shuyou takes image/png or image/webp",
        ),
        (
            request("image", held("input_image", b"x" * 1_500_000)),
            model("image", image_forms=["data"], image_bytes_max=1_000_000),
            "invalid_media",
            "images has 1.5 MB; m-1 on shuyou takes at most 1 MB",
        ),
    ],
)
def test_what_the_model_does_not_take_is_refused_with_what_it_takes(
    asked: GenerationRequest, facts: ModelFacts, reason: str, message: str
) -> None:
    error = refusal(asked, facts)
    assert (error.reason, error.message) == (reason, message)


@pytest.mark.parametrize(
    ("asked", "facts"),
    [
        (request(duration_seconds=8, resolution="1080P", aspect_ratio="16:9"), model(durations_seconds=[4, 8])),
        (request(resolution="1080P"), model(resolutions=["720p", "1080p"])),
        (request(duration_seconds=3), model(duration_seconds_min=3, duration_seconds_max=15)),
        (request(count=1), model(inputs=[], count_max=1)),
        (request("audio"), model("audio", required_inputs=["voice"], defaults={"voice": "Kore"})),
        (request("video", held("image")), model(image_forms=["url", "data"])),
        (request("video", linked("image"), linked("last_frame"), seed=7), model()),
        (request("image", held("input_image", b"x" * 10)), model("image", image_forms=["data"], image_bytes_max=10)),
    ],
)
def test_what_the_model_takes_passes(asked: GenerationRequest, facts: ModelFacts) -> None:
    check_request(asked, facts, "shuyou")


def test_a_limit_of_an_operation_replaces_the_models_own() -> None:
    facts = model(aspect_ratios=["16:9", "9:16"], count_max=4, operations={"references": {"aspect_ratios": ["16:9"]}})
    assert limits_of(facts, "references").aspect_ratios == ("16:9",)
    assert limits_of(facts, "references").count_max == 4
    assert limits_of(facts, "text").aspect_ratios == ("16:9", "9:16")


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=4), st.floats(allow_nan=False))
def test_a_duration_is_either_offered_or_refused_with_all_offers(offered: list[float], asked: float) -> None:
    facts = model(durations_seconds=offered)
    if asked in offered:
        check_request(request(duration_seconds=asked), facts, "shuyou")
    else:
        assert spoken(offered) in refusal(request(duration_seconds=asked), facts).message


@pytest.mark.parametrize(
    ("wire", "name"),
    [
        ("routeany", "acme/new"),
        ("shuyou", "kling-v3"),
        ("shuyou", "new"),
        ("llmgateway", "seedance-2.0"),
        ("apixo", "sora-2"),
        ("apixo", "new"),
        ("openai-videos", "new"),
    ],
)
def test_a_fraction_of_a_second_is_refused_where_durations_are_whole_numbers(wire: str, name: str) -> None:
    with pytest.raises(RequestRefused, match="whole number") as refused:
        plan_of(wire, request(duration_seconds=5.5), name)
    assert refused.value.reason == "invalid_input"
    assert plan_of(wire, request(duration_seconds=5), name).body
