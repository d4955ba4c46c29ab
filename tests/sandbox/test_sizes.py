"""Sizes: the pixels that ratios and tiers stand for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.errors import RequestRefused
from rushes.domain.request import GenerationRequest, Kind
from rushes.providers.fact_files import load_facts
from rushes.providers.sandbox.spec import size_of

OFFERED = [
    (model.kind, ratio, resolution)
    for model in load_facts("sandbox").models
    for ratio in model.aspect_ratios or ()
    for resolution in model.resolutions or ()
]


def of_ratio(kind: Kind, ratio: str, resolution: str) -> tuple[int, int]:
    return size_of(GenerationRequest(kind=kind, prompt="a fox", aspect_ratio=ratio, resolution=resolution))


def parse_size(size: str) -> tuple[int, int]:
    return size_of(GenerationRequest(kind="image", prompt="a fox", size=size))


@pytest.mark.parametrize(
    ("ratio", "resolution", "size"),
    [
        ("16:9", "480p", (854, 480)),
        ("16:9", "720p", (1280, 720)),
        ("16:9", "1080p", (1920, 1080)),
        ("16:9", "4k", (3840, 2160)),
        ("9:16", "720p", (720, 1280)),
        ("1:1", "1080p", (1080, 1080)),
        ("4:3", "720p", (960, 720)),
        ("21:9", "720p", (1680, 720)),
        ("21:9", "4k", (3840, 1646)),
    ],
)
def test_a_video_has_the_size_of_its_tier_and_ratio(ratio: str, resolution: str, size: tuple[int, int]) -> None:
    assert of_ratio("video", ratio, resolution) == size


@pytest.mark.parametrize(
    ("ratio", "resolution", "size"),
    [
        ("1:1", "1k", (1024, 1024)),
        ("16:9", "1k", (1366, 768)),
        ("1:1", "4k", (4096, 4096)),
        ("2:3", "2k", (1672, 2508)),
    ],
)
def test_an_image_has_the_area_of_its_tier(ratio: str, resolution: str, size: tuple[int, int]) -> None:
    assert of_ratio("image", ratio, resolution) == size


@pytest.mark.parametrize(("kind", "ratio", "resolution"), [each for each in OFFERED if each[1] != "auto"])
def test_every_size_offered_is_even_and_of_its_ratio(kind: Kind, ratio: str, resolution: str) -> None:
    width, height = of_ratio(kind, ratio, resolution)
    across, down = (int(part) for part in ratio.split(":"))
    assert width % 2 == height % 2 == 0
    assert width / height == pytest.approx(across / down, rel=0.005)


@given(st.integers(64, 4096), st.integers(64, 4096))
def test_a_size_in_bounds_is_taken_rounded_down_to_even(width: int, height: int) -> None:
    if max(width, height) > 4 * min(width, height):
        with pytest.raises(RequestRefused):
            parse_size(f"{width}x{height}")
    else:
        assert parse_size(f"{width}x{height}") == (width // 2 * 2, height // 2 * 2)


@pytest.mark.parametrize("size", ["", "big", "63x64", "64x4098", "100x401", "-64x64", "64x64x64", "٦٤x٦٤"])
def test_a_size_out_of_bounds_or_form_is_refused(size: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        parse_size(size)
    assert refused.value.reason == "invalid_input"
