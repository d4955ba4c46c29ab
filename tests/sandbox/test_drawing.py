"""What the landscape is made of: lines that close to a ring, light to read letters by, a title that fits."""

import random
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image, ImageChops, ImageStat

from rushes.providers.sandbox.drawing.land import hills, peaks
from rushes.providers.sandbox.drawing.letters import letters, set_text, settable
from rushes.providers.sandbox.drawing.paint import PALETTES
from rushes.providers.sandbox.drawing.scene import Scene
from rushes.providers.sandbox.drawing.sound import melody
from rushes.providers.sandbox.spec import RenderSpec

SIZE = (256, 144)


def scene(kind: str, title: str = "a fox", **more: object) -> Scene:
    asked = {"kind": kind, "title": title, "seed": 5, "output_format": "mp4", "width": SIZE[0], "height": SIZE[1]}
    return Scene(RenderSpec.model_validate({**asked, "duration_seconds": 0 if kind == "image" else 5, **more}), 5, ())


def difference(first: Image.Image, second: Image.Image) -> float:
    return sum(ImageStat.Stat(ImageChops.difference(first, second)).mean) / 3


@given(seed=st.integers(), is_peak=st.booleans())
def test_a_ridge_stays_between_its_bounds_and_closes_to_a_ring(seed: int, is_peak: bool) -> None:
    rng = random.Random(seed)
    line = peaks(rng, 5) if is_peak else hills(rng, 5, 0.5)
    heights = [line(n / 400) for n in range(401)]
    assert all(-0.001 <= height <= 1.001 for height in heights)
    assert heights[0] == pytest.approx(heights[-1], abs=1e-6)
    assert max(abs(a - b) for a, b in pairwise(heights)) < 0.35


def test_every_light_has_dark_ink_and_light_paper_so_that_letters_can_be_read() -> None:
    for palette in PALETTES:
        assert sum(palette.paper) - sum(palette.ink) > 550


def test_a_landscape_moves_evenly_and_comes_round_without_a_seam() -> None:
    film = scene("video", duration_seconds=30)
    steps = [difference(film.frame(n), film.frame(n + 1)) for n in (0, 1, 100, 255, 256, 511, 512)]
    assert min(steps) > 0.01
    assert max(steps) < 3 * sorted(steps)[len(steps) // 2] + 0.5


def test_a_still_is_the_first_frame_of_the_film() -> None:
    assert difference(scene("image").frame(0), scene("video").frame(0)) < 1.0


@given(st.text(max_size=120), st.integers(30, 600), st.integers(30, 300))
def test_a_title_fits_its_box_whatever_it_says(title: str, width: int, height: int) -> None:
    lines, size = set_text(settable(title), width, height, range(40, 6, -2))
    assert len(lines) * size * 1.14 <= height or len(lines) == 1


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Un renard à l'œil doré", "Un renard à l'œil doré"),
        ("Рыжая лиса, κόκκινη αλεπού", "Рыжая лиса, κόκκινη αλεπού"),
        ("fox 🦊 in\tsnow", "fox in snow"),
        ("\u202efox\u200b\x00", "fox"),
        ("\uff26\uff4f\uff58", "Fox"),
        ("雪中奔跑", ""),
    ],
)
def test_what_cannot_be_set_is_left_out_or_made_plain(text: str, shown: str) -> None:
    assert settable(text) == shown


@given(st.text(max_size=300), st.floats(1, 60), st.integers())
def test_the_notes_of_a_melody_follow_one_another_and_end_in_time(text: str, seconds: float, seed: int) -> None:
    notes = list(melody(text, seconds, seed))
    assert all(length > 0 and 0 <= semitones <= 24 for _, length, semitones in notes)
    assert [at for at, _, _ in notes] == sorted(at for at, _, _ in notes)
    assert all(at + length <= seconds * 1.000001 for at, length, _ in notes)


def test_seed_and_words_change_the_tune() -> None:
    tunes = {
        tuple(semitones for *_, semitones in melody(words, 4, seed))
        for words, seed in (("the quick brown fox", 1), ("the quick brown fox", 2), ("over the lazy dog", 1))
    }
    assert len(tunes) == 3


def test_a_title_that_no_font_here_can_set_is_not_left_out_in_silence() -> None:
    palette = PALETTES[0]
    spec = RenderSpec(kind="image", title="雪中奔跑", seed=1, output_format="png", width=640, height=360)
    assert len(letters(spec, [], palette)) == len(letters(spec.model_copy(update={"title": "fox"}), [], palette)) == 2
