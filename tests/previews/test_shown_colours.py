"""A frame is seen as players show it, and alike wherever it is seen: in a small picture, as an input, in a film."""
# pyright: reportUnknownMemberType=false
# (PyAV's hints name numpy types, and numpy is not installed.)

import io
from fractions import Fraction
from pathlib import Path

import av
import pytest
from av.video.reformatter import Colorspace
from PIL import Image

from rushes.domain.record import Output
from rushes.tasks.films.pictures import Frame, of_video
from rushes.tasks.previews.frame import frame

from .here import glimpse
from .media_files import kept

Colour = tuple[int, int, int]

ORANGE: Colour = (230, 120, 20)
WITHIN = 8


def _video(path: Path, size: tuple[int, int], matrix: Colorspace, pixel_shape: Fraction = Fraction(1)) -> Output:
    """Three frames of one colour, made with a matrix that the file does not name."""
    picture = av.VideoFrame(*size, "rgb24")
    plane = picture.planes[0]
    plane.update((bytes(ORANGE) * size[0]).ljust(plane.line_size, b"\0") * size[1])
    shown = picture.reformat(format="yuv420p", dst_colorspace=matrix)
    with av.open(str(path), "w", format="mp4") as container:
        stream = container.add_stream("libx264", rate=10, options={"crf": "8"})
        stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
        stream.codec_context.sample_aspect_ratio = pixel_shape
        for number in range(3):
            shown.pts, shown.time_base = number, Fraction(1, 10)
            container.mux(stream.encode(shown))
        container.mux(stream.encode(None))
    return kept(path, "video/mp4", duration_seconds=0.3)


def _as_input(video: Output) -> Image.Image:
    with Path(video.path or "").open("rb") as file:
        return _jpeg(frame(file, "video/mp4", duration_seconds=0.3, at_seconds=None))


def _in_a_film(video: Output) -> Image.Image:
    with Path(video.path or "").open("rb") as file:
        (shown,) = of_video(file, "video/mp4", Frame(1280, 720, Fraction(10)), start_seconds=0, count=1)
        rgb = shown.reformat(format="rgb24", src_colorspace=Colorspace.ITU709)
        plane = rgb.planes[0]
        return Image.frombuffer("RGB", (rgb.width, rgb.height), bytes(plane), "raw", "RGB", plane.line_size, 1)


def _jpeg(data: bytes) -> Image.Image:
    return Image.open(io.BytesIO(data), formats=("JPEG",))


def _middle(image: Image.Image, share: float = 0.5) -> Colour:
    at = image.width // 2, int(image.height * share)
    red, green, blue = image.convert("RGB").crop((*at, at[0] + 1, at[1] + 1)).tobytes()
    return red, green, blue


@pytest.mark.parametrize(
    ("size", "matrix"),
    [((1280, 720), Colorspace.ITU709), ((640, 360), Colorspace.ITU601)],
    ids=["in HD they are those of HD", "and below those of television"],
)
def test_the_colours_of_a_video_that_names_none_are_what_players_take_them_for(
    tmp_path: Path, size: tuple[int, int], matrix: Colorspace
) -> None:
    video = _video(tmp_path / "v.mp4", size, matrix)

    seen = {
        "the sheet": _middle(_jpeg(glimpse(video).jpeg), 0.1),
        "one frame": _middle(_jpeg(glimpse(video, 0.1).jpeg)),
        "an input": _middle(_as_input(video)),
        "a film": _middle(_in_a_film(video)),
    }

    off = {
        where: max(abs(got - wanted) for got, wanted in zip(colour, ORANGE, strict=True))
        for where, colour in seen.items()
    }
    assert max(off.values()) <= WITHIN, seen


def test_a_video_of_pixels_that_are_not_square_is_seen_and_handed_on_as_wide_as_it_is(tmp_path: Path) -> None:
    video = _video(tmp_path / "v.mp4", (720, 576), Colorspace.ITU601, Fraction(64, 45))

    assert _jpeg(glimpse(video, 0.0).jpeg).size == (1024, 576)
    assert _as_input(video).size == (1024, 576)


@pytest.mark.parametrize("size", [(300_000, 1), (1, 300_000), (100_000, 3)])
def test_a_picture_that_is_almost_a_line_is_shown(size: tuple[int, int], tmp_path: Path) -> None:
    Image.new("RGB", size).save(tmp_path / "line.png")

    assert max(_jpeg(glimpse(kept(tmp_path / "line.png", "image/png")).jpeg).size) == 1024
