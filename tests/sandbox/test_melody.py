"""The melody of a text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.providers.sandbox.drawing.melody import melody


@given(st.text(max_size=300), st.floats(1, 60), st.integers(), st.text(max_size=5))
def test_the_notes_follow_one_another_and_end_in_time(text: str, seconds: float, seed: int, language: str) -> None:
    notes = melody(text, seconds, seed, language)
    assert all(note.seconds > 0 and 0 <= note.semitones <= 24 for note in notes)
    assert [note.at for note in notes] == sorted(note.at for note in notes)
    assert all(note.at + note.seconds <= seconds * 1.000001 for note in notes)


def test_each_syllable_is_a_note_and_each_word_begins_with_a_stressed_one() -> None:
    notes = melody("a running fox", 3, 1, "")
    assert [note.stressed for note in notes] == [True, True, False, True]


def test_a_full_stop_takes_time() -> None:
    running, stopped = melody("one two", 3, 1, ""), melody("one. two", 3, 1, "")
    assert stopped[-1].at > running[-1].at


def test_seed_and_language_change_the_tune_and_nothing_else_does() -> None:
    words = "the quick brown fox jumps over the lazy dog"
    tune = [note.semitones for note in melody(words, 4, 1, "en")]
    assert tune == [note.semitones for note in melody(words, 8, 1, "en")]
    assert tune != [note.semitones for note in melody(words, 4, 2, "en")]
    assert len({tuple(n.semitones for n in melody(words, 4, 1, language)) for language in ("en", "fr", "de", "sw")}) > 1


@pytest.mark.parametrize("text", ["", "...", "🦊"])
def test_a_text_without_words_has_no_notes(text: str) -> None:
    assert melody(text, 5, 1, "") == ()
