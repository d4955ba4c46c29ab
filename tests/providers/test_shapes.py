"""A frame that has not the shape of the video that is asked for is warned of before it is paid for."""

from io import BytesIO

import pytest
from PIL import Image

from rushes.domain.model_facts import ModelFacts
from rushes.domain.picture_size import picture_size
from rushes.domain.request import GenerationRequest, MediaInput, MediaRole
from rushes.providers.sandbox.sandbox import SandboxProvider
from rushes.providers.shapes import shape_warnings

FACTS = ModelFacts(id="fox-1", name="fox-1", kind="video", source="a page")


def picture(format_: str, size: tuple[int, int] = (300, 200), orientation: int | None = None) -> bytes:
    held, exif = BytesIO(), Image.Exif()
    if orientation is not None:
        exif[0x0112] = orientation
    Image.new("RGB", size, "teal").save(held, format_, exif=exif, lossless=format_ == "WEBP")
    return held.getvalue()


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "WEBP"])
def test_the_size_of_a_picture_is_read_from_its_first_fields(format_: str) -> None:
    assert picture_size(picture(format_)) == (300, 200)


def test_a_webp_of_each_layout_is_read() -> None:
    for options in ({"quality": 50}, {"lossless": True}, {"quality": 50, "exif": b"Exif\0\0II*\0"}):
        held = BytesIO()
        Image.new("RGB", (321, 123), "red").save(held, "WEBP", **options)
        assert picture_size(held.getvalue()) == (321, 123)


@pytest.mark.parametrize(("orientation", "seen"), [(1, (300, 200)), (3, (300, 200)), (6, (200, 300)), (8, (200, 300))])
def test_a_picture_of_a_camera_held_upright_is_upright(orientation: int, seen: tuple[int, int]) -> None:
    assert picture_size(picture("JPEG", orientation=orientation)) == seen


@pytest.mark.parametrize("format_", ["PNG", "JPEG", "GIF", "WEBP"])
def test_of_a_picture_that_is_cut_off_nothing_is_said_and_nothing_breaks(format_: str) -> None:
    whole = picture(format_)
    for length in range(0, min(len(whole), 700), 3):
        assert picture_size(whole[:length]) in {None, (300, 200)}
    assert picture_size(b"no picture at all") is None


def asked(width: int, height: int, role: MediaRole = "image", **inputs: str) -> GenerationRequest:
    frame = MediaInput(role=role, source="a.png", mime_type="image/png", data=b"x", width=width, height=height)
    return GenerationRequest.model_validate({"kind": "video", "prompt": "x", "media": (frame,), **inputs})


@pytest.mark.parametrize(
    ("request_", "warned"),
    [
        (asked(1024, 1024, aspect_ratio="9:16"), True),
        (asked(1024, 1024, "last_frame", aspect_ratio="16:9"), True),
        (asked(1024, 1024, size="1280x720"), True),
        (asked(1280, 720, aspect_ratio="16:9"), False),
        (asked(1366, 768, aspect_ratio="16:9"), False),
        (asked(1024, 1024, aspect_ratio="auto"), False),
        (asked(1024, 1024), False),
        (asked(1024, 1024, "reference_image", aspect_ratio="9:16"), False),
    ],
)
def test_a_frame_that_will_be_cut_is_warned_of(request_: GenerationRequest, warned: bool) -> None:
    assert bool(list(shape_warnings(request_, FACTS, "gateway"))) is warned


def test_the_warning_says_what_does_not_fit_and_what_to_do() -> None:
    (said,) = shape_warnings(asked(1024, 1024, aspect_ratio="9:16"), FACTS, "gateway")

    assert said == (
        "image is 1024x1024 and does not fit aspect_ratio 9:16: gateway cuts, pads or stretches it. "
        "Give the ratio that the picture has, or a picture of that ratio."
    )


def test_a_ratio_that_nobody_asked_for_is_said_to_be_forced() -> None:
    facts = FACTS.model_copy(update={"defaults": {"aspect_ratio": "16:9"}})
    (said,) = shape_warnings(asked(1024, 1024), facts, "gateway")

    assert "does not fit aspect_ratio 16:9, which is sent because none was given" in said


def test_the_sandbox_says_that_it_cuts_and_that_it_knows_no_options_of_gateways() -> None:
    sandbox = SandboxProvider()
    facts = next(row for row in sandbox.models() if row.kind == "video")
    request = asked(1024, 1024, aspect_ratio="9:16").model_copy(update={"provider_options": {"cfg_scale": 7}})
    warnings = " ".join(sandbox.plan(request, facts).warnings)

    assert "image is 1024x1024 and does not fit aspect_ratio 9:16" in warnings
    assert "provider_options change nothing in the sandbox: cfg_scale." in warnings
