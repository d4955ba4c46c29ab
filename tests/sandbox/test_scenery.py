"""What landscapes are made of: lines that close to a ring, colours that mix cleanly, places that follow the words."""

import random
from collections.abc import Callable
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import ImageChops, ImageStat

from rushes.providers.sandbox.drawing.colour import Colour, lightness, mix, parse, turn
from rushes.providers.sandbox.drawing.landscape import Landscape
from rushes.providers.sandbox.drawing.lettering import timecode
from rushes.providers.sandbox.drawing.paint import Grain, paint
from rushes.providers.sandbox.drawing.palette import LIGHTS
from rushes.providers.sandbox.drawing.places import LIGHTS_OF_PLACES, WORDS, choose_place
from rushes.providers.sandbox.drawing.terrain import Line, dunes, hills, peaks, swell

LINES: dict[str, Callable[[random.Random], Line]] = {
    "hills": lambda rng: hills(rng, 5, 0.5),
    "peaks": lambda rng: peaks(rng, 5, 0.5),
    "dunes": lambda rng: dunes(rng, 5),
    "swell": lambda rng: swell(rng, 9),
}
colours = st.builds(Colour, *[st.floats(0, 255)] * 3)


@pytest.mark.parametrize("name", LINES)
@given(seed=st.integers())
def test_a_ridge_stays_between_its_bounds_and_closes_to_a_ring(name: str, seed: int) -> None:
    line = LINES[name](random.Random(seed))
    heights = [line(n / 400) for n in range(401)]
    assert all(-0.001 <= height <= 1.001 for height in heights)
    assert heights[0] == pytest.approx(heights[-1], abs=1e-6)
    assert max(abs(a - b) for a, b in pairwise(heights)) < 0.35


@given(colours, colours, st.floats(0, 1))
def test_a_mix_of_two_colours_is_as_light_as_their_mean(first: Colour, second: Colour, share: float) -> None:
    expected = lightness(first) * (1 - share) + lightness(second) * share
    assert lightness(mix(first, second, share)) == pytest.approx(expected, abs=0.06)


@given(colours)
def test_a_colour_mixed_with_none_of_another_or_turned_full_circle_is_the_same(colour: Colour) -> None:
    assert mix(colour, Colour(0, 0, 0), 0) == pytest.approx(colour, abs=0.01)
    assert turn(colour, 360) == pytest.approx(colour, abs=0.01)


def test_every_light_has_dark_ink_and_light_paper_so_that_letters_can_be_read() -> None:
    for palette in LIGHTS.values():
        assert lightness(palette.paper) - lightness(palette.ink) > 0.7


@pytest.mark.parametrize("place", WORDS)
def test_every_word_of_a_place_leads_to_it(place: str) -> None:
    strips = {len(choose_place(word, random.Random(1)).strips) for word in WORDS[place].split()}
    assert len(strips) == 1
    assert place in LIGHTS_OF_PLACES


def test_a_chinese_prompt_chooses_its_place_too() -> None:
    english, chinese = (choose_place(title, random.Random(2)).palette for title in ("snow", "雪中奔跑的红狐狸"))
    assert english == chinese


def test_words_outrank_the_seed_and_the_seed_chooses_where_they_say_nothing() -> None:
    by_word = {len(choose_place("a lake", random.Random(seed)).strips) for seed in range(12)}
    by_seed = {choose_place("xyz", random.Random(seed)).palette.zenith for seed in range(12)}
    assert len(by_word) == 1
    assert len(by_seed) == 12


@pytest.mark.parametrize("place", WORDS)
def test_a_landscape_moves_evenly_and_comes_round_without_a_seam(place: str) -> None:
    size = (256, 144)
    landscape = Landscape(place, size, random.Random(5), still=False)
    steps = [
        sum(ImageStat.Stat(ImageChops.difference(landscape.frame(n), landscape.frame(n + 1))).mean) / 3
        for n in (0, 1, 100, 255, 256, 511, 512)
    ]
    assert min(steps) > 0.01
    assert max(steps) < 3 * sorted(steps)[len(steps) // 2] + 0.5


@pytest.mark.parametrize("place", WORDS)
def test_a_still_is_the_first_frame_of_the_film(place: str) -> None:
    still, film = (Landscape(place, (256, 144), random.Random(5), still=still).frame(0) for still in (True, False))
    difference = ImageStat.Stat(ImageChops.difference(still, film)).mean
    assert max(difference) < 1.0


def test_a_gradient_of_few_steps_shows_no_edges() -> None:
    size, first, second = (200, 200), parse("#303848"), parse("#343c4c")
    picture = paint(size, (1, 8), lambda _, down: mix(first, second, down), Grain(random.Random(1)))
    rows = [ImageStat.Stat(picture.crop((0, y, 200, y + 1))).mean[0] for y in range(200)]
    assert max(abs(a - b) for a, b in pairwise(rows)) < 0.6
    assert len({picture.getpixel((x, 100)) for x in range(200)}) > 2


@pytest.mark.parametrize(
    ("number", "shown"), [(0, "00:00:00:00"), (23, "00:00:00:23"), (24, "00:00:01:00"), (24 * 3661 + 5, "01:01:01:05")]
)
def test_a_timecode_counts_hours_minutes_seconds_and_frames(number: int, shown: str) -> None:
    assert timecode(number) == shown
