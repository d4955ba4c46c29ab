"""A record as tools show it."""

from datetime import timedelta, timezone
from decimal import Decimal

import pytest

from rushes.domain.errors import FailureReason
from rushes.domain.failure import failure
from rushes.domain.job import Cost, RemoteOutput
from rushes.domain.record import Attempt, Keeping, KeptMedia, Output
from rushes.tools import Task, TaskList, output_links, summary_of, task_of, timestamp

from .fake_service import NOW, record

KEPT = Output(
    remote=RemoteOutput(url="https://cdn.example/fox.mp4", expires_at=NOW + timedelta(days=15)),
    kept=KeptMedia(
        path="/media/fox.mp4",
        bytes=1234,
        sha256="ab" * 32,
        width=1280,
        height=720,
        duration_seconds=5.0,
        frame_rate=24.0,
        has_audio=False,
        mime_type="video/mp4",
    ),
    keeping=Keeping(status="kept"),
)
DONE: dict[str, object] = {"state": "succeeded", "phase": "done", "open": False, "finished_at": NOW}


def test_a_kept_result_is_shown_with_all_its_facts() -> None:
    shown = task_of(record(**DONE, outputs=(KEPT,), cost=Cost(amount=Decimal("0.4"))), deduplicated=True)

    assert shown.document() == {
        "task_id": "01TASK",
        "kind": "video",
        "state": "succeeded",
        "provider": "gateway",
        "model": "fox-1",
        "prompt": "a red fox",
        "created_at": "2026-11-20T17:05:30Z",
        "finished_at": "2026-11-20T17:05:30Z",
        "outputs": [
            {
                "url": "https://cdn.example/fox.mp4",
                "expires_at": "2026-12-05T17:05:30Z",
                "path": "/media/fox.mp4",
                "resource": "rushes://tasks/01TASK/outputs/1",
                "mime_type": "video/mp4",
                "bytes": 1234,
                "sha256": "ab" * 32,
                "width": 1280,
                "height": 720,
                "duration_seconds": 5.0,
                "frame_rate": 24.0,
                "has_audio": False,
            }
        ],
        "warnings": [
            "No new task was made, and nothing paid again: an equal call made this one. "
            "force_new: true pays for another."
        ],
        "cost": {"amount": 0.4, "currency": "USD"},
        "deduplicated": True,
        "next": {"tool": "view_output", "arguments": {"task_id": "01TASK"}},
    }


def test_the_fields_stand_in_the_order_of_the_design() -> None:
    names = (
        "task_id kind state provider model prompt progress created_at updated_at finished_at "
        "outputs failure warnings cost estimate job arguments parents children chosen deduplicated next"
    )

    assert list(Task.model_fields) == names.split()


def test_a_long_prompt_is_shortened() -> None:
    shown = task_of(record(prompt="fox " * 100)).prompt

    assert shown is not None
    assert len(shown) <= 200
    assert shown.endswith("…")


def test_times_are_utc_whatever_zone_they_were_noted_in() -> None:
    assert timestamp(NOW.astimezone(timezone(timedelta(hours=5)))) == "2026-11-20T17:05:30.123Z"


@pytest.mark.parametrize(("interval", "after"), [(4.2, 5), (None, 5), (-3, 0), (9999, 300)])
def test_an_unfinished_task_says_when_to_look_again(interval: float | None, after: int) -> None:
    step = task_of(record(), poll_interval_seconds=interval).next

    assert step is not None
    assert (step.tool, step.arguments, step.after_seconds) == (
        "check_task",
        {"task_id": "01TASK", "wait_seconds": 30},
        after,
    )


def test_a_success_whose_output_is_still_being_kept_says_so() -> None:
    step = task_of(
        record(**{**DONE, "phase": "keeping"}, outputs=(Output(remote=RemoteOutput(url="https://cdn.example/a")),))
    ).next

    assert step is not None
    assert (step.tool, step.after_seconds) == ("check_task", 1)


def test_a_success_of_which_nothing_is_kept_here_leads_nowhere() -> None:
    assert (
        task_of(
            record(
                **DONE,
                outputs=(Output(remote=RemoteOutput(url="https://cdn.example/a"), keeping=Keeping(status="off")),),
            )
        ).next
        is None
    )


@pytest.mark.parametrize(("reason", "tool"), [("unsupported", "list_models"), ("content_violation", None)])
def test_a_failure_names_the_tool_that_cures_it_where_there_is_one(reason: FailureReason, tool: str | None) -> None:
    shown = task_of(record(**{**DONE, "state": "failed"}, failure=failure(reason, "no", charged="no")))

    assert (shown.next.tool if shown.next else None) == tool


def test_an_output_that_could_not_be_kept_says_why_while_the_task_stays_succeeded() -> None:
    lost = Output(remote=KEPT.remote, keeping=Keeping(status="failed", problem="the disk is full"))

    shown = task_of(record(**DONE, outputs=(lost,)), now=NOW)

    assert shown.state == "succeeded"
    assert shown.warnings == ("Output 1 is lost: it could not be kept (the disk is full).",)
    assert shown.outputs[0].hint == "Fetch it from its url before 2026-12-05T17:05:30Z: rushes tries no more."


def test_an_output_that_is_tried_again_says_so() -> None:
    late = Output(remote=RemoteOutput(url="https://cdn.example/a"), keeping=Keeping(attempts=1, problem="HTTP 503"))

    shown = task_of(record(**{**DONE, "phase": "keeping"}, outputs=(late,)))

    assert shown.warnings == ("Output 1 is not kept yet (HTTP 503); rushes tries again.",)


def test_a_url_that_needs_the_key_is_marked_where_it_was_not_kept() -> None:
    output = Output(
        remote=RemoteOutput(url="https://gateway.example/v1/content", authenticated=True), keeping=Keeping(status="off")
    )

    assert task_of(record(**DONE, outputs=(output,))).warnings == ("The url of output 1 needs the gateway's API key.",)


def test_providers_that_refused_first_are_named() -> None:
    refusal = failure("insufficient_credits", "balance is 0", charged="no")
    tried = (Attempt(provider="yuto", model="m", failure=refusal),)

    assert task_of(record(tried=tried)).warnings == (
        "yuto refused this first (insufficient_credits: balance is 0); nothing was charged there.",
    )


def test_a_list_leaves_out_what_is_null_and_says_why_a_task_failed() -> None:
    failed = record(**{**DONE, "state": "failed"}, failure=failure("provider_error", "503", charged="no"))
    page = TaskList(tasks=(summary_of(failed), summary_of(record(task_id="02", outputs=(KEPT,), progress=0.5))))

    assert page.model_dump(mode="json", exclude_none=True) == {
        "tasks": [
            {
                "task_id": "01TASK",
                "kind": "video",
                "state": "failed",
                "provider": "gateway",
                "model": "fox-1",
                "prompt": "a red fox",
                "created_at": "2026-11-20T17:05:30Z",
                "finished_at": "2026-11-20T17:05:30Z",
                "failure": {"reason": "provider_error", "charged": "no"},
            },
            {
                "task_id": "02",
                "kind": "video",
                "state": "running",
                "provider": "gateway",
                "model": "fox-1",
                "prompt": "a red fox",
                "progress": 0.5,
                "created_at": "2026-11-20T17:05:30Z",
                "outputs": [{"path": "/media/fox.mp4", "mime_type": "video/mp4"}],
            },
        ]
    }


def test_a_kept_output_is_linked_as_a_resource_that_says_where_its_file_lies() -> None:
    done = record(**DONE, outputs=(KEPT,))

    (near,) = output_links(done, local_files=True)
    (far,) = output_links(done, local_files=False)
    assert (near.uri, near.name, near.description) == ("rushes://tasks/01TASK/outputs/1", "fox.mp4", "/media/fox.mp4")
    assert (far.uri, far.description) == (near.uri, None)


def test_an_output_that_is_not_kept_is_linked_by_its_url() -> None:
    output = Output(remote=RemoteOutput(url="https://cdn.example/a.mp4"), keeping=Keeping(status="off"))

    (link,) = output_links(record(**DONE, outputs=(output,)), local_files=True)
    assert (link.uri, link.name) == ("https://cdn.example/a.mp4", "video-01TASK-1")


def test_a_url_that_needs_the_key_is_no_link() -> None:
    output = Output(
        remote=RemoteOutput(url="https://gateway.example/v1/content", authenticated=True), keeping=Keeping(status="off")
    )

    assert output_links(record(**DONE, outputs=(output,)), local_files=True) == ()


def test_a_task_whose_submission_is_looked_for_says_that_it_may_be_charged() -> None:
    searching = task_of(record(state="queued", phase="reconciling"))
    assert "may have the job and charge for it" in searching.warnings[-1]
    assert task_of(record(state="queued", phase="polling")).warnings == ()


def test_a_time_out_that_costs_nothing_does_not_warn_of_a_charge() -> None:
    assert "may still charge" in failure("timeout", "Too late.", charged="unknown").hint
    assert "may still charge" not in failure("timeout", "Too late.", charged="no").hint
