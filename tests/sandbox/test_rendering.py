"""What the sandbox renders: real media of the size, length and format asked for, the same every time."""

import hashlib
import sys
from fractions import Fraction
from io import BytesIO
from itertools import pairwise

import anyio
import av
import pytest
from PIL import Image, ImageChops, ImageStat

from rushes.domain.request import GenerationRequest, MediaInput
from rushes.providers.sandbox.drawing import draw_outputs
from rushes.providers.sandbox.spec import RenderSpec, spec_of

from .driving import film, generated

pytestmark = pytest.mark.anyio

RENDER_AND_HASH = """
import anyio, hashlib, sys
from rushes.domain.request import GenerationRequest
from rushes.providers.sandbox import SandboxProvider

async def main():
    provider = SandboxProvider()
    request = GenerationRequest.model_validate_json(sys.argv[1])
    facts = next(model for model in provider.models() if model.kind == request.kind)
    job = (await provider.submit(provider.plan(request, facts))).job
    while (observation := await provider.poll(job)).state in ("queued", "running"):
        await anyio.sleep(observation.poll_after_seconds)
    print(hashlib.sha256(observation.outputs[0].content).hexdigest())

anyio.run(main)
"""


def small_film(**changes: object) -> bytes:
    """A film of one second whose size is not the question."""
    spec = spec_of(GenerationRequest(kind="video", prompt="a fox", duration_seconds=1))
    small: RenderSpec = spec.model_copy(update={"width": 128, "height": 72, **changes})
    return draw_outputs(small, lambda _: None, lambda _: None)[0]


def difference(first: Image.Image, second: Image.Image) -> float:
    """Mean difference of two pictures, 0 to 255."""
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


async def test_a_video_is_h264_of_the_promised_size_length_and_rate_with_a_soundtrack() -> None:
    (content,) = await generated(GenerationRequest(kind="video", prompt="a fox", duration_seconds=1.5))
    made = film(content)
    assert (made.codec, made.pixel_format) == ("h264", "yuv420p")
    assert (made.width, made.height, made.rate) == (1280, 720, Fraction(24))
    assert made.seconds == pytest.approx(1.5)
    assert len(made.frames) == 36
    assert made.sound_codec == "aac"
    assert made.sound_seconds == pytest.approx(1.5, abs=0.05)


def test_a_video_can_be_played_from_its_first_bytes_on() -> None:
    content = small_film()
    assert 0 < content.index(b"moov") < content.index(b"mdat")


def test_a_video_without_audio_has_no_soundtrack() -> None:
    assert film(small_film(sound=False)).sound_codec is None


def test_every_frame_of_a_video_differs_from_the_one_before_but_not_by_a_flash() -> None:
    frames = film(small_film(duration_seconds=2.0)).frames
    steps = [difference(one, next_one) for one, next_one in pairwise(frames)]
    assert min(steps) > 0.02
    assert max(steps) < 12


async def test_a_portrait_film_has_the_shape_asked_for() -> None:
    request = GenerationRequest(
        kind="video", prompt="a fox", duration_seconds=1, resolution="480p", aspect_ratio="9:16"
    )
    made = film((await generated(request))[0])
    assert (made.width, made.height) == (480, 854)


@pytest.mark.parametrize(
    ("asked", "kind", "size"),
    [
        ({}, "JPEG", (1024, 1024)),
        ({"output_format": "jpg", "quality": "low"}, "JPEG", (1024, 1024)),
        ({"output_format": "png", "aspect_ratio": "16:9"}, "PNG", (1366, 768)),
        ({"output_format": "webp", "size": "640x360"}, "WEBP", (640, 360)),
        ({"resolution": "2k", "aspect_ratio": "9:16"}, "JPEG", (1536, 2730)),
        ({"size": "64x64"}, "JPEG", (64, 64)),
    ],
)
async def test_an_image_has_the_format_and_size_asked_for(
    asked: dict[str, str], kind: str, size: tuple[int, int]
) -> None:
    request = GenerationRequest.model_validate({"kind": "image", "prompt": "a fox", **asked})
    (content,) = await generated(request)
    with Image.open(BytesIO(content)) as image:
        image.load()
        assert (image.format, image.size) == (kind, size)


@pytest.mark.parametrize(
    ("output_format", "codec"), [("wav", "pcm_s16le"), ("mp3", "mp3float"), ("flac", "flac"), ("ogg", "opus")]
)
async def test_a_sound_has_the_format_and_length_asked_for(output_format: str, codec: str) -> None:
    request = GenerationRequest(kind="audio", prompt="hello", duration_seconds=3, output_format=output_format)
    (content,) = await generated(request)
    with av.open(BytesIO(content), "r") as container:
        sound = container.streams.audio[0]
        samples = sum(frame.samples for frame in container.decode(audio=0))
        assert sound.codec_context.name == codec
        assert samples / sound.rate == pytest.approx(3, abs=0.1)


@pytest.mark.parametrize(
    ("prompt", "speed", "seconds"),
    [("hi", None, 2), ("word " * 40, None, 199 / 14), ("word " * 40, 2.0, 199 / 28)],
)
async def test_a_sound_without_a_length_is_as_long_as_its_text_takes_to_say(
    prompt: str, speed: float | None, seconds: float
) -> None:
    (content,) = await generated(GenerationRequest(kind="audio", prompt=prompt, speed=speed))
    with av.open(BytesIO(content), "r") as container:
        assert (container.duration or 0) / 1e6 == pytest.approx(seconds, abs=0.01)


@pytest.mark.parametrize("kind", ["video", "image", "audio"])
async def test_equal_requests_give_equal_bytes_in_any_process(kind: str) -> None:
    request = GenerationRequest.model_validate(
        {
            "kind": kind,
            "prompt": "a red fox running through snow",
            **({"duration_seconds": 1, "resolution": "480p"} if kind == "video" else {}),
        }
    )
    (here,) = await generated(request)
    command = [sys.executable, "-c", RENDER_AND_HASH, request.model_dump_json()]
    there = await anyio.run_process(command, check=True)
    assert there.stdout.decode().strip() == hashlib.sha256(here).hexdigest()


async def test_another_seed_gives_another_picture_and_counted_outputs_follow_the_seed() -> None:
    one, two = await generated(GenerationRequest(kind="image", prompt="a fox", size="320x180", seed=7, count=2))
    (next_one,) = await generated(GenerationRequest(kind="image", prompt="a fox", size="320x180", seed=8))
    assert one != two
    assert two == next_one


async def test_steering_words_change_nothing_that_is_drawn() -> None:
    plain = await generated(GenerationRequest(kind="image", prompt="a fox", size="320x180"))
    steered = await generated(GenerationRequest(kind="image", prompt="a fox [slow:0.1] [outputs:1]", size="320x180"))
    assert plain == steered


async def test_an_input_image_is_seen_in_the_video_made_from_it() -> None:
    green = BytesIO()
    Image.new("RGB", (320, 180), (20, 200, 40)).save(green, "PNG")
    medium = MediaInput(role="image", source="green.png", mime_type="image/png", data=green.getvalue())
    request = GenerationRequest(
        kind="video", prompt="a fox", duration_seconds=1, resolution="480p", media=(medium,), watermark=False
    )
    (content,) = await generated(request)
    red, green_mean, blue = ImageStat.Stat(film(content).frames[0].crop((200, 300, 700, 450))).mean
    assert green_mean > red + 60
    assert green_mean > blue + 60
