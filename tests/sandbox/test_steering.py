"""Steering words: what of a prompt is a word to the sandbox, and what is left to draw."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from rushes.domain.errors import RequestRefused
from rushes.providers.sandbox.steering import GATEWAY_REASONS, Steering, read_steering

plain_text = st.text(st.characters(exclude_characters="[]", exclude_categories=["Cs"]), max_size=60)


@given(plain_text)
def test_a_prompt_without_steering_words_is_only_trimmed(text: str) -> None:
    assert read_steering(text) == (" ".join(text.split()), Steering())


@given(plain_text, st.sampled_from(GATEWAY_REASONS), plain_text)
def test_a_reason_is_read_anywhere_in_the_prompt_and_is_not_drawn(before: str, reason: str, after: str) -> None:
    title, steering = read_steering(f"{before} [fail:{reason}] {after}")
    assert title == " ".join(f"{before} {after}".split())
    assert steering == Steering.model_validate({"fail": reason})


@given(st.lists(st.sampled_from(["fox", "[lost]", "[slow:3]", "[fail:timeout]", "[x]", "[expire]"]), max_size=6))
def test_reading_what_is_left_of_a_prompt_finds_nothing_more(words: list[str]) -> None:
    title, _ = read_steering(" ".join(words))
    assert read_steering(title) == (title, Steering())


@given(st.text(max_size=80))
def test_any_text_is_read_or_refused_as_invalid_input(text: str) -> None:
    try:
        read_steering(text)
    except RequestRefused as refused:
        assert refused.reason == "invalid_input"


@pytest.mark.parametrize(
    ("prompt", "steering"),
    [
        ("a fox [refuse:rate_limited]", Steering(refuse="rate_limited")),
        ("a fox [ FAIL : Timeout ]", Steering(fail="timeout")),
        ("a fox [lost]", Steering(lost=True)),
        ("a fox [slow:2.5]", Steering(slow_seconds=2.5)),
        ("a fox [outputs:3][expire]", Steering(outputs=3, expire=True)),
        ("a fox [slow:1] [slow:2]", Steering(slow_seconds=2)),
    ],
)
def test_each_word_is_read(prompt: str, steering: Steering) -> None:
    assert read_steering(prompt) == ("a fox", steering)


@pytest.mark.parametrize(
    ("prompt", "right"),
    [
        ("[fail]", "[fail:REASON]"),
        ("[fail:boredom]", "content_violation"),
        ("[refuse:outcome_unknown]", "[refuse:REASON]"),
        ("[slow:soon]", "[slow:SECONDS]"),
        ("[slow:601]", "0 to 600"),
        ("[outputs:9]", "0 to 8"),
        ("[lost:yes]", "[lost] without a value"),
    ],
)
def test_a_wrong_value_is_refused_with_the_right_form(prompt: str, right: str) -> None:
    with pytest.raises(RequestRefused) as refused:
        read_steering(prompt)
    assert refused.value.reason == "invalid_input"
    assert right in refused.value.message


def test_brackets_that_are_no_steering_words_are_drawn() -> None:
    assert read_steering("a [red] fox [16:9]") == ("a [red] fox [16:9]", Steering())
