"""A success is told in fewer bytes than it was when agents first tried rushes, with all that was told then."""

import json
from datetime import timedelta

import pytest
from pydantic import JsonValue

from rushes.domain.chosen import Alternative, Chosen
from rushes.domain.film import FILM_PROVIDER
from rushes.domain.job import Cost, Job, RemoteOutput
from rushes.domain.record import Keeping, KeptMedia, Output, TaskRecord
from rushes.domain.request import GenerationRequest
from rushes.tools import TaskOutput, summary_of, task_of, timestamp

from .fake_service import NOW, record
from .test_task import DONE

KEPT = KeptMedia(
    path="/home/ada/.local/share/rushes/outputs/a-red-fox-in-snow-01m7zwknjwde5bnb3dt88qvtp0.mp4",
    bytes=2455590,
    sha256="ab" * 32,
    width=1280,
    height=720,
    duration_seconds=5.0,
    frame_rate=24.0,
    has_audio=True,
    mime_type="video/mp4",
)
PROMPT = (
    "A red fox trots along a snowy ridge at dawn, low camera tracking beside it, breath visible in the cold air, pine "
    "forest out of focus behind, shallow depth of field, film grain, warm rim light, slow and gentle motion, no text."
)

LATER = ("frame_rate", "has_audio")
"""What an output tells only since then."""

THEN = (
    *("task_id", "kind", "state", "provider", "model", "prompt", "progress", "created_at", "updated_at"),
    *("finished_at", "outputs", "failure", "warnings", "cost", "job", "deduplicated", "next"),
)
THEN_OF_OUTPUTS = (
    *("url", "expires_at", "path", "resource", "mime_type", "bytes", "sha256", "width", "height", "duration_seconds"),
)
WARNED_THEN = "No gateway key is configured, so the free built-in sandbox makes this (not a real model)."

Document = dict[str, JsonValue]


def a_success(prompt: str, *, at_gateway: bool) -> TaskRecord:
    link = "https://cdn.example/outputs/2026/11/01m7zwknjwde5bnb3dt88qvtp0/fox.mp4"
    remote = RemoteOutput(url=link, expires_at=NOW + timedelta(days=15)) if at_gateway else RemoteOutput()
    return record(
        **DONE,
        task_id="01M7ZWKNJWDE5BNB3DT88QVTP0",
        prompt=prompt,
        outputs=(Output(remote=remote, kept=KEPT, keeping=Keeping(status="kept")),),
        job=Job(job_id="sbx_0db0fbbffe94aeb5", model="fox-1"),
        cost=Cost.model_validate({"amount": "0.4"}) if at_gateway else None,
        warnings=() if at_gateway else ("No key set: the free sandbox renders it.",),
    )


def told_then(of: TaskRecord) -> str:
    """The same success as it was told then: with nulls, blanks, the last change, and no word left out."""
    shown: Document = task_of(of, whole=True).model_dump(mode="json")
    prompt = of.request.prompt
    (output,) = of.outputs
    told = TaskOutput(url=output.remote.url, expires_at=timestamp(output.remote.expires_at)).model_dump(mode="json")
    (facts,) = task_of(of, whole=True).model_dump(mode="json")["outputs"]
    document: Document = {name: shown[name] for name in THEN}
    document |= {
        "prompt": prompt if len(prompt) <= 200 else f"{prompt[:199]}…",
        "outputs": [{name: {**told, **facts}[name] for name in THEN_OF_OUTPUTS}],
        "warnings": [WARNED_THEN] if of.warnings else [],
        "next": {
            "tool": "view_output",
            "arguments": {"task_id": of.task_id, "index": 1},
            "after_seconds": 0,
        },
    }
    return json.dumps(document, ensure_ascii=False)


def told_now(of: TaskRecord) -> str:
    """As it is told now, without what was not told then."""
    document = task_of(of).document()
    outputs = document["outputs"]
    assert isinstance(outputs, list)
    for output in outputs:
        assert isinstance(output, dict)
        assert all(output.pop(name) is not None for name in LATER)
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


@pytest.mark.parametrize(
    ("prompt", "at_gateway", "share"),
    [("a red fox", False, 0.71), (PROMPT, False, 0.68), (PROMPT, True, 0.73)],
    ids=["in the trial", "in the sandbox", "at a gateway"],
)
def test_a_success_is_told_in_at_most_that_share_of_the_bytes_of_the_trial(
    prompt: str, at_gateway: bool, share: float
) -> None:
    success = a_success(prompt, at_gateway=at_gateway)

    assert len(told_now(success)) <= share * len(told_then(success))


def test_all_that_the_design_lists_of_an_output_is_told() -> None:
    (output,) = json.loads(told_now(a_success(PROMPT, at_gateway=True)))["outputs"]

    assert {*output} == {*THEN_OF_OUTPUTS}


def test_whole_numbers_are_told_as_such_and_times_to_the_second() -> None:
    document = task_of(a_success(PROMPT, at_gateway=True)).document()
    (output,) = json.loads(json.dumps(document))["outputs"]

    assert (repr(output["duration_seconds"]), repr(output["frame_rate"])) == ("5", "24")
    assert (document["created_at"], output["expires_at"]) == ("2026-11-20T17:05:30Z", "2026-12-05T17:05:30Z")


def test_an_output_that_is_kept_says_so_by_its_path_and_every_other_one_in_a_word() -> None:
    kept = task_of(a_success(PROMPT, at_gateway=True)).document()
    coming = task_of(record(**DONE, outputs=(Output(remote=RemoteOutput(url="https://x.example/1")),))).document()

    assert '"keeping"' not in json.dumps(kept)
    assert '"keeping": "keeping"' in json.dumps(coming)


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "nothing paid again: an equal call made this one. force_new: true pays for another."),
        ({"free": True}, "No new task was made: an equal call made this one. force_new: true makes another."),
        ({"free": True, "provider": FILM_PROVIDER}, "No new film was begun: an equal call made this one."),
    ],
)
def test_an_equal_call_hears_of_money_only_where_some_was_paid(fields: dict[str, object], said: str) -> None:
    (warning,) = task_of(record(**DONE, **fields), deduplicated=True).warnings
    assert said in warning
    assert ("paid" in warning) is not fields.get("free", False)


def test_a_row_of_a_list_tells_whole_numbers_as_such() -> None:
    request = GenerationRequest(kind="video", prompt="x", duration_seconds=5.0)
    assert json.dumps(summary_of(record(request=request)).arguments) == '{"duration_seconds": 5}'


def test_the_time_of_an_alternative_is_told_to_the_tenth() -> None:
    other = Alternative(provider="gate", model="fox-2", seconds=28.134177)
    shown = task_of(record(chosen=Chosen(why="it fits", alternatives=(other,))), tells_choice=True).document()["chosen"]
    assert isinstance(shown, dict)
    assert shown["alternatives"] == [{"provider": "gate", "model": "fox-2", "seconds": 28.1}]
