"""Input media are seen in what is made from them."""

from io import BytesIO

import pytest
from PIL import Image, ImageStat

from rushes.domain.request import GenerationRequest, MediaInput, MediaRole
from rushes.providers.sandbox import SandboxProvider

from .driving import ended, film, generated, plan_of, submitted

pytestmark = pytest.mark.anyio

GREEN, RED, BLUE = (20, 200, 40), (210, 30, 30), (30, 60, 220)


def medium(role: MediaRole, picture: Image.Image, source: str = "picture.png") -> MediaInput:
    file = BytesIO()
    picture.save(file, "PNG")
    return MediaInput(role=role, source=source, mime_type="image/png", data=file.getvalue())


def plain(colour: tuple[int, int, int], size: tuple[int, int] = (320, 180)) -> Image.Image:
    return Image.new("RGB", size, colour)


def strongest(picture: Image.Image, box: tuple[float, float, float, float]) -> str:
    """The colour that a part of the picture mostly has; the box is in shares of its size."""
    across, down = picture.size
    part = picture.crop((round(box[0] * across), round(box[1] * down), round(box[2] * across), round(box[3] * down)))
    means = dict(zip(("red", "green", "blue"), ImageStat.Stat(part).mean, strict=True))
    return max(means, key=lambda name: means[name])


def opened(content: bytes) -> Image.Image:
    with Image.open(BytesIO(content)) as image:
        return image.convert("RGB")


LOWER_HALF, PRINT = (0.1, 0.6, 0.9, 0.95), (0.05, 0.08, 0.15, 0.18)
FRAMES = 24


async def test_a_first_frame_fills_the_video_and_a_last_frame_is_laid_over_it() -> None:
    request = GenerationRequest(
        kind="video",
        prompt="from green to red",
        duration_seconds=1,
        resolution="480p",
        media=(medium("image", plain(GREEN)), medium("last_frame", plain(RED))),
    )
    for frame in film((await generated(request))[0]).frames[:: FRAMES - 1]:
        assert strongest(frame, LOWER_HALF) == "green"
        assert strongest(frame, PRINT) == "red"


async def test_an_edited_picture_is_seen_with_its_mask_laid_over_it() -> None:
    request = GenerationRequest(
        kind="image",
        prompt="the sea",
        size="640x360",
        media=(medium("input_image", plain(GREEN)), medium("mask", plain(BLUE))),
    )
    picture = opened((await generated(request))[0])
    assert (strongest(picture, LOWER_HALF), strongest(picture, PRINT)) == ("green", "blue")


async def test_references_are_laid_over_the_scene() -> None:
    prompt = "a quiet harbour"
    plain_scene = opened((await generated(GenerationRequest(kind="image", prompt=prompt, size="640x360", seed=3)))[0])
    video = GenerationRequest(
        kind="video",
        prompt=prompt,
        seed=3,
        duration_seconds=1,
        resolution="480p",
        media=(medium("reference_image", plain(GREEN)), medium("reference_image", plain(RED, (100, 200)))),
    )
    frame = film((await generated(video))[0]).frames[0]
    saturated = [sum(g > 150 and r < 80 for r, g, _ in _pixels(picture)) for picture in (plain_scene, frame)]
    assert saturated[0] == 0
    assert saturated[1] > 2000


async def test_a_medium_given_by_address_alone_is_named_and_the_plan_says_that_it_is_not_fetched() -> None:
    provider = SandboxProvider()
    far = MediaInput(role="reference_image", source="https://example.com/a.png", url="https://example.com/a.png")
    request = GenerationRequest(kind="video", prompt="a fox", duration_seconds=1, resolution="480p", media=(far,))
    assert "https://example.com/a.png" in plan_of(provider, request).warnings[0]
    without = GenerationRequest(kind="video", prompt="a fox", duration_seconds=1, resolution="480p", seed=1)
    with_medium = without.model_copy(update={"media": (far,)})
    assert await generated(with_medium) != await generated(without)


@pytest.mark.parametrize("role", ["reference_video", "reference_audio"])
def test_a_plan_says_which_media_are_only_named(role: MediaRole) -> None:
    clip = MediaInput(role=role, source="clip.bin", data=b"whatever it is")
    request = GenerationRequest(kind="video", prompt="a fox", media=(clip,))
    assert "clip.bin is only named" in plan_of(SandboxProvider(), request).warnings[0]


@pytest.mark.parametrize("role", ["image", "reference_image"])
async def test_bytes_that_are_not_what_they_should_be_fail_the_job(role: MediaRole) -> None:
    provider = SandboxProvider()
    junk = MediaInput(role=role, source="junk.bin", data=b"\x00\x01\x02 not a medium" * 9)
    request = GenerationRequest(kind="video", prompt="a fox", duration_seconds=1, media=(junk,))
    failure = (await ended(provider, await submitted(provider, request))).failure
    assert failure is not None
    assert failure.reason == "invalid_media"
    assert "junk.bin" in failure.message


async def test_a_sideways_photograph_is_turned_upright() -> None:
    sideways = plain(RED, (200, 100))
    sideways.paste(GREEN, (0, 0, 100, 100))
    exif = Image.Exif()
    exif[0x0112] = 8
    file = BytesIO()
    sideways.save(file, "JPEG", exif=exif, quality=95)
    photograph = MediaInput(role="input_image", source="photo.jpg", mime_type="image/jpeg", data=file.getvalue())
    request = GenerationRequest(kind="image", prompt="upright", size="200x400", media=(photograph,))
    assert strongest(opened((await generated(request))[0]), (0.1, 0.8, 0.9, 0.95)) == "green"


def _pixels(picture: Image.Image) -> list[tuple[int, int, int]]:
    data = picture.tobytes()
    return list(zip(data[0::3], data[1::3], data[2::3], strict=True))
