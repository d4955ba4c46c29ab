"""Setting type: a title fits its box, whatever it says and whatever shape the box has."""

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from rushes.providers.sandbox.drawing.lettering import Measures, set_title
from rushes.providers.sandbox.drawing.setting import ELLIPSIS, LEADING, set_text, wrap
from rushes.providers.sandbox.drawing.typeface import face_of, measure, settable

texts = st.text(st.sampled_from("aäWil ,.-雪é漢字 "), max_size=80)


def half_as_wide(text: str, size: int) -> float:
    """A face in which every letter is half as wide as it is high, and a Chinese one as wide."""
    return sum(size if letter in "雪漢字" else size / 2 for letter in text)


@given(texts, st.floats(1, 600), st.floats(1, 300), st.integers(1, 20), st.integers(0, 60))
def test_every_line_fits_the_width_and_all_lines_the_height(
    text: str, width: float, height: float, smallest: int, more: int
) -> None:
    setting = set_text(text, width, height, (smallest, smallest + more), half_as_wide)
    assert all(half_as_wide(line, setting.size) <= width for line in setting.lines)
    assert setting.height <= height or not setting.lines
    assert smallest <= setting.size <= smallest + more


@given(texts, st.floats(1, 600), st.floats(1, 300))
def test_no_letter_is_lost_unless_an_ellipsis_says_so(text: str, width: float, height: float) -> None:
    setting = set_text(text, width, height, (4, 40), half_as_wide)
    set_letters = "".join("".join(setting.lines).split())
    letters = "".join(text.split())
    if setting.lines and not setting.lines[-1].endswith(ELLIPSIS):
        assert set_letters == letters
    else:
        assert letters.startswith(set_letters.removesuffix(ELLIPSIS))


@given(texts, st.floats(40, 600))
def test_words_are_broken_only_where_they_alone_are_too_wide(text: str, width: float) -> None:
    words = text.split()
    assume(all(half_as_wide(word, 10) <= width and word.isascii() for word in words))
    lines = wrap(text, width, lambda part: half_as_wide(part, 10))
    assert " ".join(lines).split() == words


def test_a_text_that_fits_is_set_as_large_as_allowed_and_in_even_lines() -> None:
    setting = set_text("one two three four five six", 100, 100, (5, 10), half_as_wide)
    assert setting.size == 10
    assert setting.lines == ("one two three", "four five six")
    assert setting.height == pytest.approx(2 * 10 * LEADING)


def test_a_text_that_is_too_long_is_cut_with_an_ellipsis() -> None:
    setting = set_text("one two three four five six seven", 50, 24, (10, 20), half_as_wide)
    assert setting.lines == ("one two", "three fou…")


def test_nothing_is_set_where_no_letter_has_room() -> None:
    assert set_text("word", 4, 100, (10, 20), half_as_wide).lines == ()
    assert set_text("word", 100, 4, (10, 20), half_as_wide).lines == ()


def test_a_script_without_spaces_is_broken_between_its_letters() -> None:
    assert wrap("雪雪雪雪雪 雪", 30, lambda part: half_as_wide(part, 10)) == ["雪雪雪", "雪雪", "雪"]


@given(st.text(max_size=120), st.integers(32, 2000), st.integers(32, 2000))
def test_a_title_fits_into_a_picture_of_any_shape(title: str, half_width: int, half_height: int) -> None:
    assume(max(half_width, half_height) <= 4 * min(half_width, half_height))
    measures = Measures(2 * half_width, 2 * half_height)
    setting = set_title(title, measures)
    assert all(measure(line, setting.size) <= measures.width - 2 * measures.margin for line in setting.lines)
    assert setting.height <= measures.height / 3


@given(st.text(max_size=40))
def test_no_letter_is_drawn_that_no_face_has(text: str) -> None:
    assert all(face_of(letter) is not None for letter in settable(text))


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("Un renard à l'œil doré", "Un renard à l'œil doré"),
        ("Рыжая лиса, κόκκινη αλεπού", "Рыжая лиса, κόκκινη αλεπού"),
        ("fox 🦊 in\tsnow ❄️", "fox in snow"),
        ("\u202efox\u200b\x00", "fox"),
        ("\uff26\uff4f\uff58", "Fox"),
    ],
)
def test_what_cannot_be_set_is_left_out_or_made_plain(text: str, shown: str) -> None:
    assert settable(text) == shown
