"""A brief for music or sound is never silently read aloud."""

import pytest

from rushes.domain.errors import RequestRefused
from rushes.domain.request import GenerationRequest
from rushes.tasks.intake.purposes import purpose_told_by
from rushes.tasks.intake.routing import Route, route

from ..agents.keys import KEYS, configured


def routed(keys: str, prompt: str, **inputs: object) -> Route:
    request = GenerationRequest.model_validate({"kind": "audio", "prompt": prompt, **inputs})
    return route(request, configured(KEYS[keys]), None)


@pytest.mark.parametrize(
    ("prompt", "purpose"),
    [
        ("gentle lonely music box and strings, hopeful ending", "music"),
        ("lo-fi beat, 80 bpm, warm", "music"),
        ("rain on a tin roof, distant thunder", "sound"),
        ("footsteps on gravel, a creaking door", "sound"),
        ("Welcome to the show. Today we talk about foxes.", "speech"),
        ("Hello, I am your guide.", "speech"),
        ("a red fox", None),
        ("I love this song. You will too.", None),
        ("storm", None),
    ],
)
def test_the_words_of_a_prompt_speak_for_a_purpose_only_where_they_are_clear(prompt: str, purpose: str | None) -> None:
    assert purpose_told_by(prompt) == purpose


def test_what_the_words_told_is_said_in_a_warning() -> None:
    chosen = routed("all five", "gentle lonely music box and strings, hopeful ending")

    assert chosen.candidates[0].facts.name == "suno"
    assert chosen.warnings == (
        "purpose was not given; by its words the prompt is taken as a brief for music. "
        "Give purpose where that is wrong.",
    )


def test_a_brief_that_may_be_either_is_refused_with_the_ways_on() -> None:
    with pytest.raises(RequestRefused, match="purpose is not given") as refused:
        routed("all five", "a red fox")

    assert refused.value.charged == "no"
    assert '"speech" reads the prompt aloud' in str(refused.value.hint)


def test_a_brief_for_music_is_not_read_aloud_where_the_keys_have_speech_alone() -> None:
    with pytest.raises(RequestRefused, match="makes speech, not music"):
        routed("llmgateway", "gentle lonely music box and strings, hopeful ending")


def test_inputs_that_only_speech_has_say_what_it_is_for() -> None:
    chosen = routed("shuyou", "a red fox", voice="Cherry")

    assert (chosen.candidates[0].facts.name, chosen.warnings) == ("qwen3-tts-flash", ())


def test_a_named_model_makes_what_it_makes_and_refuses_another_purpose() -> None:
    assert routed("shuyou", "a red fox", model="qwen3-tts-flash").candidates[0].facts.name == "qwen3-tts-flash"
    with pytest.raises(RequestRefused, match="qwen3-tts-flash on shuyou makes speech, not music"):
        routed("shuyou", "a red fox", model="qwen3-tts-flash", purpose="music")


def test_where_one_model_makes_all_of_them_nothing_has_to_be_said() -> None:
    request = GenerationRequest(kind="audio", prompt="a red fox")

    assert route(request, configured(()), None).candidates[0].facts.name == "sandbox-audio"


def test_the_purpose_decides_and_is_sent_to_nobody() -> None:
    plan = routed("shuyou", "Good evening.", purpose="speech").candidates[0].plan

    assert plan.body["input"] == {"prompt": "Good evening."}
