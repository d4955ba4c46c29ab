"""What `view_output` and resources show of a kept output."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from rushes.domain.errors import RequestRefused
from rushes.domain.job import RemoteOutput
from rushes.domain.record import Keeping, Output
from rushes.tasks.previews.glimpse import Glimpse
from rushes.tasks.previews.previews import CHANGED
from rushes.tasks.previews.waveform import columns

from ..altered import remeasured
from ..hostile.bombs import blank_png
from .here import glimpse
from .media_files import BLUE, GREEN, RED, Colour, a_sound, a_video, an_image, kept

URL = "https://cdn.example/a.mp4"
NOT_KEPT = "This output is not kept on this machine"


def picture(seen: Glimpse) -> Image.Image:
    """The JPEG, which must be small enough for a model's context."""
    assert len(seen.jpeg) < 500_000
    image = Image.open(io.BytesIO(seen.jpeg), formats=("JPEG",))
    assert max(image.size) <= 1024
    return image


def is_like(image: Image.Image, at: tuple[int, int], colour: Colour) -> bool:
    pixel = image.getpixel(at)
    assert isinstance(pixel, tuple)
    return all(abs(got - wanted) < 40 for got, wanted in zip(pixel, colour, strict=True))


def refusal(output: Output, at_seconds: float | None = None) -> RequestRefused:
    with pytest.raises(RequestRefused) as caught:
        glimpse(output, at_seconds)
    return caught.value


def test_a_contact_sheet_shows_the_first_the_middle_and_the_last_frame_of_a_wide_video_below_each_other(
    tmp_path: Path,
) -> None:
    seen = glimpse(a_video(tmp_path / "v.mp4", [RED, GREEN, BLUE], size=(1280, 720)))

    sheet = picture(seen)
    assert seen.shows == "contact sheet of the frames at 0.00 s, 1.50 s, 2.90 s"
    assert sheet.height > sheet.width
    centres = [(sheet.width // 2, round(sheet.height * share)) for share in (0.15, 0.48, 0.82)]
    assert [is_like(sheet, at, colour) for at, colour in zip(centres, (RED, GREEN, BLUE), strict=True)] == [True] * 3


def test_a_contact_sheet_shows_the_frames_of_a_tall_video_side_by_side(tmp_path: Path) -> None:
    sheet = picture(glimpse(a_video(tmp_path / "v.mp4", [RED, GREEN, BLUE], size=(360, 640))))

    assert sheet.width > sheet.height
    centres = [(round(sheet.width * share), sheet.height // 2) for share in (0.17, 0.5, 0.83)]
    assert [is_like(sheet, at, colour) for at, colour in zip(centres, (RED, GREEN, BLUE), strict=True)] == [True] * 3


@pytest.mark.parametrize(("moment", "colour"), [(0.0, RED), (0.99, RED), (1.0, GREEN), (1.95, GREEN), (2.999, BLUE)])
def test_one_frame_is_the_one_shown_at_that_moment(tmp_path: Path, moment: float, colour: Colour) -> None:
    image = picture(glimpse(a_video(tmp_path / "v.mp4", [RED, GREEN, BLUE]), moment))

    assert image.size == (320, 180)
    assert is_like(image, (160, 90), colour)


@pytest.mark.parametrize("moment", [-0.1, 1.5, 1e300])
def test_a_moment_outside_the_video_is_refused_with_its_length(tmp_path: Path, moment: float) -> None:
    told = refusal(a_video(tmp_path / "v.mp4", [RED]), moment)

    assert (told.reason, told.message) == ("invalid_input", "The video is 1.0 s long; name a moment in it.")


def test_times_are_told_from_the_first_frame_on_where_the_clock_of_the_file_begins_later(tmp_path: Path) -> None:
    video = a_video(tmp_path / "v.mp4", [RED, GREEN, BLUE], begins_at=1.0)

    assert glimpse(video).shows == "contact sheet of the frames at 0.00 s, 1.50 s, 2.90 s"
    assert is_like(picture(glimpse(video, 1.5)), (160, 90), GREEN)
    assert glimpse(video, 0.0).shows == "the frame at 0.00 s"


def test_the_middle_is_that_of_the_pictures_where_the_sound_is_longer(tmp_path: Path) -> None:
    video = remeasured(a_video(tmp_path / "v.mp4", [RED, GREEN, BLUE]), duration_seconds=30.0)

    assert glimpse(video).shows == "contact sheet of the frames at 0.00 s, 1.50 s, 2.90 s"


def test_a_video_of_one_frame_has_a_sheet_of_one(tmp_path: Path) -> None:
    seen = glimpse(a_video(tmp_path / "v.mp4", [GREEN], seconds_each=0.1))

    assert seen.shows == "contact sheet of the frames at 0.00 s"


@pytest.mark.parametrize("name", ["i.png", "i.jpg", "i.webp"])
def test_an_image_is_scaled_to_at_most_1024_pixels(tmp_path: Path, name: str) -> None:
    image = picture(glimpse(an_image(tmp_path / name, (4000, 1000))))

    assert image.size == (1024, 256)
    assert is_like(image, (512, 128), RED)


def test_a_small_image_keeps_its_size(tmp_path: Path) -> None:
    assert picture(glimpse(an_image(tmp_path / "i.png", (300, 200)))).size == (300, 200)


def test_a_transparent_image_is_shown_over_grey(tmp_path: Path) -> None:
    path = tmp_path / "i.png"
    Image.new("RGBA", (64, 64), (255, 0, 0, 0)).save(path)

    assert is_like(picture(glimpse(kept(path, "image/png"))), (32, 32), (128, 128, 128))


@pytest.mark.parametrize("mode", ["L", "P", "1", "I;16", "CMYK"])
def test_an_image_of_any_mode_is_shown(tmp_path: Path, mode: str) -> None:
    path = tmp_path / ("i.jpg" if mode == "CMYK" else "i.png")
    Image.new(mode, (64, 64)).save(path)

    picture(glimpse(kept(path, "image/jpeg" if mode == "CMYK" else "image/png")))


def test_a_grey_of_sixteen_bits_is_as_bright_as_it_was_made(tmp_path: Path) -> None:
    path = tmp_path / "depth.png"
    Image.new("I;16", (64, 64), 0x8000).save(path)

    assert is_like(picture(glimpse(kept(path, "image/png"))), (32, 32), (128, 128, 128))


def test_noise_fits_into_500_kb_too(tmp_path: Path) -> None:
    path = tmp_path / "i.png"
    Image.frombytes("RGB", (1400, 1400), os.urandom(1400 * 1400 * 3)).save(path, compress_level=1)

    picture(glimpse(kept(path, "image/png")))


def test_a_sound_is_shown_as_its_waveform_with_its_loudness(tmp_path: Path) -> None:
    seen = glimpse(a_sound(tmp_path / "s.wav", 2.0))

    image = picture(seen)
    assert seen.shows == "waveform, peak -6.0 dB, 0 % silence"
    assert is_like(image, (512, 100), (96, 165, 250))


def test_silence_is_called_silence_and_not_blown_up(tmp_path: Path) -> None:
    seen = glimpse(a_sound(tmp_path / "s.wav", 1.0, loudness=0.0005))

    assert seen.shows == "waveform, all silence"
    assert is_like(picture(seen), (300, 100), (24, 24, 27))


def test_every_grain_of_a_waveform_is_in_a_column() -> None:
    grains = [(-number, number) for number in range(2500)]

    shown = list(columns(grains, 1024))

    assert len(shown) == 1024
    assert (shown[0], shown[-1]) == ((-1, 1), (-2499, 2499))
    assert len(list(columns(grains[:3], 1024))) == 1024
    assert list(columns([], 1024)) == []


@pytest.mark.parametrize(
    ("output", "message", "hint"),
    [
        (Output(remote=RemoteOutput(url=URL), keeping=Keeping(status="off")), f"{NOT_KEPT}.", "Open its url instead."),
        (
            Output(remote=RemoteOutput(url=URL)),
            f"{NOT_KEPT} yet.",
            "It is still to be fetched: call check_task, then look again.",
        ),
        (
            Output(remote=RemoteOutput(url=URL), keeping=Keeping(status="failed", problem="result_expired: gone.")),
            f"{NOT_KEPT}: result_expired: gone.",
            "Open its url instead, if it still works.",
        ),
        (
            Output(keeping=Keeping(status="failed", problem="no space")),
            f"{NOT_KEPT}: no space.",
            "Call check_task to see what became of it.",
        ),
    ],
    ids=["keeping is off", "not fetched yet", "could not be fetched", "could not be written"],
)
def test_what_is_not_kept_is_refused_with_why_and_where_to_glimpse(output: Output, message: str, hint: str) -> None:
    told = refusal(output)

    assert (told.reason, told.charged, told.message, told.hint) == ("invalid_input", "no", message, hint)


def test_a_file_that_is_gone_is_said_to_be_gone(tmp_path: Path) -> None:
    output = an_image(tmp_path / "i.png", (10, 10))
    (tmp_path / "i.png").unlink()

    assert refusal(output).reason == "not_found"


def test_a_file_that_has_changed_since_it_was_measured_is_said_to_have(tmp_path: Path) -> None:
    output = an_image(tmp_path / "i.png", (64, 64))
    an_image(tmp_path / "i.png", (32, 48))
    assert glimpse(output).shows == f"the image ({CHANGED})"

    (tmp_path / "i.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    assert refusal(output).message == f"i.png (image/png) could not be decoded: {CHANGED}."


@pytest.mark.parametrize("mime_type", ["image/png", "video/mp4", "audio/wav"])
def test_a_file_that_cannot_be_decoded_is_refused_and_not_a_fault(tmp_path: Path, mime_type: str) -> None:
    path = tmp_path / "broken"
    path.write_bytes(b"\x00" * 5000)

    told = refusal(kept(path, mime_type))

    assert (told.reason, told.message) == ("invalid_media", f"broken ({mime_type}) could not be decoded.")


def test_a_type_without_a_picture_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "sound.pcm"
    path.write_bytes(b"\x00" * 100)

    assert refusal(kept(path, "audio/pcm")).reason == "unsupported"


def test_a_moment_is_for_videos(tmp_path: Path) -> None:
    assert refusal(an_image(tmp_path / "i.png", (10, 10)), 1.0).reason == "invalid_input"


def test_an_image_of_too_many_pixels_is_not_decoded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "i.png").write_bytes(blank_png(10_001))
    monkeypatch.setattr(Image, "MAX_IMAGE_PIXELS", None)

    assert "10001x10001 pixels, too many to be shown" in refusal(kept(tmp_path / "i.png", "image/png")).message
