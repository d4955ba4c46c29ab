"""Films as an agent makes them: shots in their order, in one frame, at one pace, with one sound."""

import pytest

from rushes.domain.film import LOUDNESS_LUFS

from ..previews.media_files import BLUE, GREEN, RED
from .studio import Document, Studio, integrated_lufs, is_like, watched

pytestmark = pytest.mark.anyio

BLACK, WHITE = (0, 0, 0), (255, 255, 255)


async def test_shots_follow_each_other_with_their_in_and_out_points(studio: Studio) -> None:
    first = studio.video("a.mp4", RED, GREEN, BLUE)
    second = studio.video("b.mp4", BLUE, RED)

    task = await studio.film(f"{first}[1-2.5]", f"{second}[0.5-]", f"{first}[0.5]")

    film = watched(task)
    assert (film.width, film.height, film.frame_rate, film.seconds) == (320, 180, 10, 3.5)
    seen = [film.colour(at) for at in (0.0, 0.9, 1.4, 1.5, 1.9, 2.9, 3.0, 3.4)]
    wanted = [GREEN, GREEN, BLUE, BLUE, BLUE, RED, RED, RED]
    assert [is_like(*pair) for pair in zip(seen, wanted, strict=True)] == [True] * 8, seen


async def test_shots_are_faded_into_each_other_and_the_film_fades_out(studio: Studio) -> None:
    white = studio.video("a.mp4", WHITE, WHITE)
    task = await studio.film(
        white, studio.video("b.mp4", BLACK, BLACK), white, transition_seconds=1, fade_out_seconds=1
    )

    film = watched(task)
    assert film.seconds == 4
    shades = [film.colour(number / 10)[0] for number in range(40)]
    assert min(shades[:9]) > 248
    assert shades[10:20] == sorted(shades[10:20], reverse=True)
    assert 100 < shades[14] < 150
    assert shades[20:30] == sorted(shades[20:30])
    assert shades[30:] == sorted(shades[30:], reverse=True)
    assert shades[39] < 5


async def test_the_first_shot_gives_the_frame_and_others_get_black_bars_and_are_never_stretched(studio: Studio) -> None:
    wide = studio.video("wide.mp4", RED)
    square = studio.still("square.png", GREEN, (400, 400))
    tall = studio.video("tall.mp4", BLUE, size=(180, 320))

    task = await studio.film(wide, f"{square}[1]", tall)

    film = watched(task)
    assert (film.width, film.height, film.seconds) == (320, 180, 3)
    assert is_like(film.colour(1.5), GREEN)
    assert is_like(film.colour(2.5), BLUE)
    # A square takes the middle 180 of 320 columns, and 9:16 the middle 102.
    edges = [film.colour(1.5, (x, 0.5)) for x in (0.1, 0.2, 0.26, 0.74, 0.8, 0.9)]
    assert [is_like(seen, GREEN) for seen in edges] == [False, False, True, True, False, False], edges
    assert is_like(film.colour(2.5, (0.3, 0.5)), BLACK)
    assert is_like(film.colour(2.5, (0.38, 0.5)), BLUE)
    assert task["warnings"] == [
        "Shots 2 and 3 are of another shape than the film (320x180), and are shown with black bars.",
        "Nothing in it has sound, so that the film is silent: give a score in sounds.",
    ]


async def test_a_film_of_stills_has_the_first_ones_shape_and_three_seconds_for_each(studio: Studio) -> None:
    tall = studio.still("tall.png", RED, (1080, 1920))
    task = await studio.film(tall, f"{studio.still('b.png', BLUE, (540, 960))}[0.5]")

    film = watched(task)
    assert (film.width, film.height, film.frame_rate, film.seconds) == (1080, 1920, 24, 3.5)
    assert [is_like(film.colour(at), wanted) for at, wanted in ((0, RED), (2.9, RED), (3.1, BLUE))] == [True] * 3


async def test_another_pace_is_made_the_films_and_said(studio: Studio) -> None:
    ten = studio.video("ten.mp4", RED)
    slow = studio.video("slow.mp4", RED, GREEN, BLUE, frame_rate=4)
    task = await studio.film(ten, slow, ten)

    film = watched(task)
    assert (film.frame_rate, film.seconds) == (10, 5)
    seen = [film.colour(at) for at in (1.0, 1.8, 2.1, 2.8, 3.1, 3.9, 4.1)]
    wanted = [RED, RED, GREEN, GREEN, BLUE, BLUE, RED]
    assert [is_like(*pair) for pair in zip(seen, wanted, strict=True)] == [True] * 7, seen
    told = "Shot 2 is of another frame rate than the film (10): frames are repeated or left out."
    assert told in warnings(task)


async def test_frames_that_come_at_odd_times_stand_where_they_belong(studio: Studio) -> None:
    """A screen recording has a frame only where something moves."""
    odd = studio.video("odd.mp4", RED, GREEN, BLUE, BLUE, moments=(0.0, 0.3, 1.7, 1.9))
    task = await studio.film(studio.video("ten.mp4", RED), odd)

    film = watched(task)
    seen = [film.colour(1 + at) for at in (0.0, 0.2, 0.3, 1.6, 1.7, 1.9)]
    wanted = [RED, RED, GREEN, GREEN, BLUE, BLUE]
    assert film.seconds == 3
    assert [is_like(*pair) for pair in zip(seen, wanted, strict=True)] == [True] * 6, seen


async def test_a_score_is_mixed_under_the_shots_and_cut_where_the_film_ends(studio: Studio) -> None:
    loud = studio.video("loud.mp4", RED, RED, tone=0.5)
    silent = studio.video("silent.mp4", BLUE, BLUE)
    score = studio.tone("score.wav", 9, loudness=0.05)
    task = await studio.film(loud, silent, sounds=[str(score)])

    film = watched(task)
    assert len(film.samples) / 48_000 == pytest.approx(film.seconds, abs=0.05)
    over, under = film.loudness(0.5, 1.5), film.loudness(2.2, 2.8)
    assert over - under == pytest.approx(20, abs=2.5)
    # It is faded out over its last second, as it would click else.
    assert film.loudness(3.9, 4.0) < under - 15
    assert warnings(task) == [
        "Shot 2 is without sound of its own.",
        "Sound 1 is 5.0 s longer than the film: its end is left out, and it is faded out there.",
    ]


async def test_a_score_that_is_shorter_is_not_repeated_and_begins_where_it_is_told_to(studio: Studio) -> None:
    quiet = studio.video("quiet.mp4", *[RED] * 4)
    task = await studio.film(quiet, sounds=[f"{studio.tone('s.wav', 1.5)}[@1]"])

    film = watched(task)
    assert [film.loudness(0, 0.9), film.loudness(2.7, 4)] == [pytest.approx(-120, abs=35)] * 2
    assert film.loudness(1.1, 2.4) > -25
    assert warnings(task) == ["Sound 1 ends 1.5 s before the film, and is not repeated."]


async def test_gains_and_mute_are_heard(studio: Studio) -> None:
    loud = studio.video("loud.mp4", RED, tone=0.5)
    task = await studio.film(loud, f"{loud}[-12dB]", f"{loud}[mute]", sounds=[f"{studio.tone('s.wav', 3)}[-40dB]"])

    film = watched(task)
    first, second, third = (film.loudness(at + 0.2, at + 0.8) for at in (0, 1, 2))
    assert first - second == pytest.approx(12, abs=1)
    assert second - third > 15


async def test_the_film_is_as_loud_as_the_page_says_and_nowhere_over_the_peak(studio: Studio) -> None:
    quiet = studio.video("quiet.mp4", *[RED] * 5, tone=0.04)
    task = await studio.film(quiet)

    film = watched(task)
    assert integrated_lufs(film.samples) == pytest.approx(LOUDNESS_LUFS, abs=0.7)
    assert max(film.samples) < 10 ** (-1.0 / 20)


async def test_what_is_hardly_heard_is_not_blown_up_without_a_word(studio: Studio) -> None:
    task = await studio.film(studio.video("hush.mp4", *[RED] * 3, tone=0.001))

    assert [text for text in warnings(task) if "very quiet" in text], task["warnings"]


async def test_a_cross_fade_is_heard_as_one_too(studio: Studio) -> None:
    loud = studio.video("loud.mp4", RED, RED, tone=0.3)
    task = await studio.film(loud, studio.video("silent.mp4", BLUE, BLUE), transition_seconds=1)

    film = watched(task)
    steps = [film.loudness(at, at + 0.2) for at in (0.5, 1.2, 1.5, 1.75, 2.2)]
    assert steps == sorted(steps, reverse=True)
    assert steps[0] - steps[1] < 4
    assert steps[4] < -80


async def test_the_same_film_has_the_same_bytes(studio: Studio) -> None:
    shots = [studio.video("a.mp4", RED, tone=0.2), studio.video("b.mp4", BLUE)]
    one = await studio.film(*shots, transition_seconds=0.5)
    other = await studio.film(*reversed(shots), transition_seconds=0.5)
    again = await studio.film(*shots, transition_seconds=0.5, output_name="again")

    assert sha256_of(one) == sha256_of(again) != sha256_of(other)


def warnings(task: Document) -> list[str]:
    told = task.get("warnings", [])
    assert isinstance(told, list)
    return [str(text) for text in told]


def sha256_of(task: Document) -> str:
    outputs = task["outputs"]
    assert isinstance(outputs, list)
    assert isinstance(outputs[0], dict)
    return str(outputs[0]["sha256"])
