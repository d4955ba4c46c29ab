"""What cannot be a film is refused before anything is journaled, with what would be right."""

import shutil
from pathlib import Path

import anyio
import pytest

from ..previews.media_files import BLUE, RED
from .studio import SECONDS, Document, Studio

pytestmark = pytest.mark.anyio


async def refusal(studio: Studio, *shots: object, **arguments: object) -> tuple[str, str]:
    """Reason and message of a call that must leave no task behind."""
    before = await studio.task_ids()
    answer = await studio.call("assemble", shots=[str(shot) for shot in shots], **arguments)
    assert await studio.task_ids() == before
    told = answer.get("failure", answer.get("error"))
    assert isinstance(told, dict), answer
    assert told.get("charged", "no") == "no"
    return str(told["reason"]), str(told["message"])


async def kept_shot(studio: Studio) -> tuple[str, Path]:
    """A kept output and its file."""
    made = await studio.call("generate_image", prompt="a fox", size="128x128", wait_seconds=45)
    outputs = made["outputs"]
    assert isinstance(outputs, list)
    assert isinstance(outputs[0], dict)
    return f"task:{made['task_id']}#1", Path(str(outputs[0]["path"]))


async def test_a_kept_file_that_is_gone(studio: Studio) -> None:
    source, path = await kept_shot(studio)
    path.unlink()

    reason, message = await refusal(studio, source)

    assert reason == "invalid_media"
    assert message == f"Shot 1 ({source}): the kept file is gone: {path}."


async def test_a_kept_file_that_is_another_one_now(studio: Studio) -> None:
    source, path = await kept_shot(studio)
    shutil.copy(studio.still("other.jpg", BLUE, (64, 64)), path)

    reason, message = await refusal(studio, studio.video("a.mp4", RED), source)

    assert reason == "invalid_media"
    assert message == f"Shot 2 ({source}): the file has changed since it was kept."


async def test_a_file_that_changes_before_the_film_is_made_is_a_failure_without_a_charge(studio: Studio) -> None:
    long = studio.still("long.png", RED, (1280, 720))
    first = await studio.call("assemble", shots=[f"{long}[900]"])
    path = studio.video("a.mp4", RED)
    second = await studio.call("assemble", shots=[str(path)])
    path.write_bytes(path.read_bytes() + b"more")
    await studio.call("cancel_task", task_id=first["task_id"])

    with anyio.fail_after(SECONDS):
        task = await studio.call("check_task", task_id=second["task_id"], wait_seconds=45)

    assert task["state"] == "failed", task
    assert isinstance(task["failure"], dict)
    assert (task["failure"]["reason"], task["failure"]["charged"]) == ("invalid_media", "no")
    assert task["failure"]["message"] == f"The file of {path} has changed since it was chosen."


async def test_a_task_that_made_nothing(studio: Studio) -> None:
    failed = await studio.call("generate_video", prompt="[fail:provider_error]", resolution="480p", wait_seconds=45)

    reason, message = await refusal(studio, f"task:{failed['task_id']}#1")

    assert reason == "invalid_media"
    assert message == f"Shot 1 (task:{failed['task_id']}#1): task {failed['task_id']} is failed and has no output."


async def test_an_output_that_a_task_does_not_have(studio: Studio) -> None:
    source, _ = await kept_shot(studio)

    assert (await refusal(studio, source.replace("#1", "#2")))[1].endswith("has 1 output(s), counted from 1: no #2.")
    assert (await refusal(studio, "task:01HZZZZZZZZZZZZZZZZZZZZZZZ"))[0] == "invalid_media"
    told = (await refusal(studio, "task:no-id"))[1]
    assert told == "Shot 1 (task:no-id) is not an output: write task:<task_id>#<number from 1>."


@pytest.mark.parametrize(
    "address", ["https://media.example/a.mp4", "http://127.0.0.1/a.mp4", "data:video/mp4;base64,AA"]
)
async def test_an_address_because_nothing_is_fetched(studio: Studio, address: str) -> None:
    reason, message = await refusal(studio, address)

    assert (reason, message) == (
        "invalid_media",
        f"Shot 1 ({address}) is an address: films are made of kept outputs and files, and nothing is fetched.",
    )


async def test_a_file_that_is_no_medium_or_cannot_be_decoded(studio: Studio) -> None:
    text, broken = studio.folder / "a.txt", studio.folder / "b.mp4"
    text.write_text("no film", encoding="utf-8")
    broken.write_bytes(studio.video("a.mp4", RED).read_bytes()[:600])

    assert (await refusal(studio, text))[1].endswith("is no video, still or sound that can be decoded here (unknown).")
    assert await refusal(studio, broken) == ("invalid_media", f"Shot 1 ({broken}) could not be decoded.")
    assert (await refusal(studio, studio.folder / "none.mp4"))[0] == "invalid_media"


async def test_a_sound_among_the_shots_and_a_still_among_the_sounds(studio: Studio) -> None:
    shot, sound = studio.video("a.mp4", RED), studio.tone("s.wav", 1)
    still = studio.still("i.png", RED, (64, 64))

    assert (await refusal(studio, sound))[1] == f"Shot 1 ({sound}) is a sound (audio/wav): put it into sounds."
    told = (await refusal(studio, shot, sounds=[str(sound), str(still)]))[1]
    assert told == f"Sound 2 ({still}) is a still: nothing can be heard in it."
    told = (await refusal(studio, shot, sounds=[str(shot)]))[1]
    assert told == f"Sound 1 ({shot}) is a video without sound: nothing can be heard in it."


async def test_parts_and_fades_that_the_clips_do_not_have(studio: Studio) -> None:
    shot, sound = studio.video("a.mp4", RED, BLUE), studio.tone("s.wav", 1)
    still = studio.still("i.png", RED, (64, 64))

    assert (await refusal(studio, f"{shot}[1-5]"))[1] == f"Shot 1 ({shot}[1-5]) is 2 s long: its part lies outside."
    assert (await refusal(studio, f"{still}[1-5]"))[1].endswith("is a still: say how long it is shown, such as [3].")
    assert (await refusal(studio, shot, sounds=[f"{sound}[@9]"]))[1].endswith(
        "would begin at 9 s, and the film is 2.0 s long."
    )
    told = (await refusal(studio, shot, f"{shot}[1]", shot, transition_seconds=1))[1]
    assert told == "transition_seconds 1 is too long: shot 2 is 1 s, which leaves 0.5 s for a cross-fade."
    told = (await refusal(studio, shot, fade_out_seconds=3))[1]
    assert told == "fade_out_seconds 3 is longer than the film (2 s)."
    assert (await refusal(studio, f"{still}[2000]"))[1] == "The film would be 2000 s long; at most 1800 s are made."


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ("task:T#1[foo]", "'foo' is not understood; [1.5-4] is a part, [3] a length"),
        ("task:T#1[4-2]", "the part ends before it begins"),
        ("task:T#1[1-2 3]", "says end_seconds twice"),
        ("task:T#1[+30dB]", "a gain is -60dB to +24dB"),
        ("", "must name media such as task:<task_id>#1"),
    ],
)
async def test_what_cannot_be_read_is_answered_with_how_it_is_written(studio: Studio, given: str, said: str) -> None:
    reason, message = await refusal(studio, given)

    assert reason == "invalid_input"
    assert said in message


async def test_no_shots_and_far_too_many(studio: Studio) -> None:
    assert (await refusal(studio))[1] == "shots must be 1 to 64 shots, not 0."
    assert (await refusal(studio, *["x.mp4"] * 65))[1] == "shots must be 1 to 64 shots, not 65."


async def test_films_are_not_generated_and_offer_no_model(studio: Studio) -> None:
    named = await studio.call("generate_video", prompt="a film", provider="rushes")
    models = await studio.call("list_models")
    free = await studio.call("generate_image", prompt="a fox", size="128x128", dry_run=True)

    assert _reason(named) == "unsupported"
    assert "assemble" not in str(models)
    assert free["provider"] == "sandbox"
    assert "No key set" in str(free["warnings"])


def _reason(answer: Document) -> object:
    told = answer.get("failure", answer.get("error"))
    assert isinstance(told, dict)
    return told["reason"]


async def test_a_file_that_there_is_not_is_refused_without_the_advice_to_give_an_address(studio: Studio) -> None:
    answer = await studio.call("assemble", shots=[str(studio.video("a.mp4", RED).with_name("none.mp4"))])

    assert isinstance(answer["failure"], dict)
    assert "There is no file" in str(answer["failure"]["message"])
    assert answer["failure"]["hint"] == "Give task:<task_id>#1 of a kept output, or the path of a file (over stdio)."
