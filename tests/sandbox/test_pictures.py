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


LOWER_HALF = (0.1, 0.6, 0.9, 0.95)


async def test_a_video_begins_with_its_first_frame_and_ends_with_its_last() -> None:
    request = GenerationRequest(
        kind="video",
        prompt="from green to red",
        duration_seconds=1,
        resolution="480p",
        media=(medium("image", plain(GREEN)), medium("last_frame", plain(RED))),
    )
    frames = film((await generated(request))[0]).frames
    assert strongest(frames[0], LOWER_HALF) == "green"
    assert strongest(frames[-1], LOWER_HALF) == "red"


async def test_the_camera_approaches_a_first_frame() -> None:
    target = plain(GREEN, (640, 360))
    target.paste(RED, (280, 260, 360, 340))
    request = GenerationRequest(
        kind="video", prompt="closer", duration_seconds=1, resolution="480p", media=(medium("image", target),)
    )
    frames = film((await generated(request))[0]).frames

    def red_pixels(frame: Image.Image) -> int:
        red, green, _ = frame.crop((0, 240, 854, 480)).split()
        return sum(r > 120 > g for r, g in zip(red.tobytes(), green.tobytes(), strict=True))

    assert red_pixels(frames[-1]) > 1.1 * red_pixels(frames[0])


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


async def test_a_video_reference_is_seen_by_its_first_frame() -> None:
    source = GenerationRequest(
        kind="video", prompt="source", duration_seconds=1, resolution="480p", media=(medium("image", plain(RED)),)
    )
    content = (await generated(source))[0]
    reference = MediaInput(role="reference_video", source="clip.mp4", mime_type="video/mp4", data=content)
    request = GenerationRequest(
        kind="video", prompt="a winter day", duration_seconds=1, resolution="480p", media=(reference,)
    )
    frame = film((await generated(request))[0]).frames[0]
    assert sum(r > 150 and g < 90 and b < 90 for r, g, b in _pixels(frame)) > 1000


async def test_only_what_the_mask_names_is_drawn_anew() -> None:
    mask = Image.new("L", (320, 180))
    mask.paste(255, (160, 0, 320, 180))
    request = GenerationRequest(
        kind="image",
        prompt="the sea",
        size="640x360",
        media=(medium("input_image", plain(GREEN)), medium("mask", mask)),
    )
    picture = opened((await generated(request))[0])
    left, right = (picture.crop(box) for box in ((20, 260, 300, 350), (340, 260, 620, 350)))
    assert ImageStat.Stat(left).mean[1] > 150
    assert ImageStat.Stat(right).mean[1] < 150


async def test_a_transparent_mask_names_what_is_transparent() -> None:
    mask = Image.new("RGBA", (320, 180), (255, 255, 255, 255))
    mask.paste((0, 0, 0, 0), (0, 0, 160, 180))
    request = GenerationRequest(
        kind="image",
        prompt="the sea",
        size="640x360",
        media=(medium("input_image", plain(GREEN)), medium("mask", mask)),
    )
    picture = opened((await generated(request))[0])
    assert ImageStat.Stat(picture.crop((20, 260, 300, 350))).mean[1] < 150
    assert ImageStat.Stat(picture.crop((340, 260, 620, 350))).mean[1] > 150


async def test_a_medium_given_by_address_alone_is_named_and_the_plan_says_that_it_is_not_fetched() -> None:
    provider = SandboxProvider()
    far = MediaInput(role="reference_image", source="https://example.com/a.png", url="https://example.com/a.png")
    request = GenerationRequest(kind="video", prompt="a fox", duration_seconds=1, resolution="480p", media=(far,))
    assert "https://example.com/a.png" in plan_of(provider, request).warnings[0]
    without = GenerationRequest(kind="video", prompt="a fox", duration_seconds=1, resolution="480p", seed=1)
    with_medium = without.model_copy(update={"media": (far,)})
    assert await generated(with_medium) != await generated(without)


@pytest.mark.parametrize("role", ["image", "reference_image", "reference_video"])
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
