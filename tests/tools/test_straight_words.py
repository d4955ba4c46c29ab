"""What a call is answered, told straight: no more bytes than it needs, what was not done as asked, what to do next."""

import json
from typing import Any

import pytest

from rushes.domain.errors import Charged, FailureReason, RequestRefused
from rushes.domain.failure import failure
from rushes.domain.principal import LOCAL
from rushes.domain.record import KeptMedia, Output, TaskRecord
from rushes.tools import (
    ASSEMBLE,
    CANCEL_TASK,
    CHECK_TASK,
    GENERATE_AUDIO,
    GENERATE_IMAGE,
    GENERATE_VIDEO,
    LIST_TASKS,
    VIEW_OUTPUT,
    ProgressMeter,
    ToolContext,
    ToolResult,
    ToolSpec,
    already,
    call_tool,
    task_of,
)

from .fake_service import FakeService, record, refusing
from .test_task import DONE, KEPT

pytestmark = pytest.mark.anyio

Arguments = dict[str, object]


Tool = ToolSpec[Any, Any]


async def answered(spec: Tool, service: FakeService, arguments: Arguments) -> ToolResult:
    answer = await call_tool(spec, ToolContext(opened=already(service), principal=LOCAL), arguments)
    assert isinstance(answer, ToolResult)
    return answer


def warnings_of(answer: ToolResult) -> str:
    return json.dumps(answer.document.get("warnings"))


@pytest.mark.parametrize(
    "task",
    [
        record(),
        record(progress=0.0),
        record(**DONE, outputs=(KEPT,)),
        record(**{**DONE, "state": "failed"}, failure=failure("timeout", "too late", charged="no")),
    ],
)
def test_an_answer_holds_nothing_null_nothing_empty_and_nothing_twice(task: TaskRecord) -> None:
    text = json.dumps(task_of(task).document())

    assert not any(empty in text for empty in ("null", "[]", '"deduplicated": false', "{}"))
    assert ("updated_at" in text) is not task.final
    assert ("progress" in text) is (task.progress is not None)


def test_a_progress_of_nothing_is_told() -> None:
    assert task_of(record(progress=0.0)).document()["progress"] == 0.0


def test_each_output_says_whether_it_has_sound_and_how_many_frames_a_second() -> None:
    kept = KeptMedia(path="/m/fox.mp4", mime_type="video/mp4", has_audio=True, frame_rate=24.0)
    (shown,) = task_of(record(**DONE, outputs=(Output(kept=kept),))).outputs

    assert (shown.has_audio, shown.frame_rate) == (True, 24.0)


async def test_a_refusal_of_wrong_arguments_lists_no_arguments() -> None:
    answer = await answered(GENERATE_VIDEO, FakeService(), {"prompt": "x", "nonsense": 1})

    assert "negative_prompt" not in json.dumps(answer.document)
    assert len(json.dumps(answer.document, separators=(",", ":"))) < 260


@pytest.mark.parametrize(
    ("spec", "arguments", "state"),
    [
        (VIEW_OUTPUT, {"task_id": "01TASK"}, "running"),
        (LIST_TASKS, {"state": "done"}, None),
        (CHECK_TASK, {"task_id": "01NONE"}, None),
        (CANCEL_TASK, {"task_id": "01NONE"}, None),
        (CHECK_TASK, {}, None),
    ],
)
async def test_a_call_that_only_asks_is_refused_without_state_and_money(
    spec: Tool,
    arguments: Arguments,
    state: str | None,
) -> None:
    service = FakeService()
    service.put(record(state=state or "running"))
    answer = await answered(spec, service, arguments)

    assert answer.is_error
    assert not answer.document.keys() - {"error", "next"}
    assert isinstance(answer.document["error"], dict)
    assert not answer.document["error"].keys() - {"reason", "message", "hint"}


async def test_a_look_at_a_task_that_runs_leads_to_waiting_for_it() -> None:
    service = FakeService()
    service.put(record())
    answer = await answered(VIEW_OUTPUT, service, {"task_id": "01TASK"})

    assert answer.document["next"] == {
        "tool": "check_task",
        "arguments": {"task_id": "01TASK", "wait_seconds": 30},
        "after_seconds": 5,
    }


async def test_a_look_at_a_task_that_failed_leads_to_the_reason() -> None:
    service = FakeService()
    told = failure("content_violation", "no", charged="no")
    service.put(record(state="failed", phase="done", open=False, failure=told))
    answer = await answered(VIEW_OUTPUT, service, {"task_id": "01TASK"})

    assert answer.document["next"] == {"tool": "check_task", "arguments": {"task_id": "01TASK"}}


async def test_a_fault_leads_to_the_tasks_that_there_are() -> None:
    service = FakeService()
    service.refusal = ZeroDivisionError()
    answer = await answered(GENERATE_VIDEO, service, {"prompt": "x"})

    assert answer.document["next"] == {"tool": "list_tasks", "arguments": {}}


async def test_deduplication_is_told_in_words_and_so_is_a_name_that_it_leaves_without_effect() -> None:
    service = FakeService()
    first = await answered(GENERATE_IMAGE, service, {"prompt": "a fox"})
    again = await answered(GENERATE_IMAGE, service, {"prompt": "a fox", "output_name": "red-fox"})

    assert "warnings" not in first.document
    assert "No new task was made" in warnings_of(again)
    assert "force_new: true" in warnings_of(again)
    assert "output_name 'red-fox' was not used" in warnings_of(again)


@pytest.mark.parametrize("state", ["succeeded", "failed", "cancelled"])
async def test_cancelling_what_has_ended_says_that_nothing_was_cancelled(state: str) -> None:
    service = FakeService()
    service.put(record(state=state, phase="done", open=False))
    answer = await answered(CANCEL_TASK, service, {"task_id": "01TASK"})

    assert f"Nothing was cancelled: the task had ended before ({state})." in warnings_of(answer)


async def test_cancelling_what_runs_says_no_such_thing() -> None:
    service = FakeService()
    service.put(record())
    answer = await answered(CANCEL_TASK, service, {"task_id": "01TASK", "abandon": True})

    assert "Nothing was cancelled" not in warnings_of(answer)


@pytest.mark.parametrize(("asked", "cut"), [(300, True), ("90", True), (45, False), (0, False)])
async def test_a_wait_that_was_cut_is_said_to_be(asked: object, cut: bool) -> None:
    service = FakeService()
    service.put(record(**DONE))
    answer = await answered(CHECK_TASK, service, {"task_id": "01TASK", "wait_seconds": asked})

    assert ("was cut to 45" in warnings_of(answer)) is cut


@pytest.mark.parametrize(
    ("spec", "name", "meant"),
    [
        (GENERATE_VIDEO, "first_frame", "'image'"),
        (GENERATE_VIDEO, "start_image", "'image'"),
        (GENERATE_VIDEO, "input_image", "'image'"),
        (GENERATE_VIDEO, "image_url", "'image'"),
        (GENERATE_VIDEO, "end_frame", "'last_frame'"),
        (GENERATE_VIDEO, "ratio", "'aspect_ratio'"),
        (GENERATE_VIDEO, "n", "'count'"),
        (GENERATE_VIDEO, "length", "'duration_seconds'"),
        (GENERATE_VIDEO, "seconds", "'duration_seconds'"),
        (GENERATE_VIDEO, "negative", "'negative_prompt'"),
        (GENERATE_VIDEO, "generate_audio", "'audio'"),
        (GENERATE_VIDEO, "image_urls", "For a first frame it is 'image'"),
        (GENERATE_VIDEO, "style", "Say the style in 'prompt'"),
        (GENERATE_VIDEO, "cfg_scale", "goes into provider_options"),
        (GENERATE_VIDEO, "aspectRatio", "'aspect_ratio'"),
        (GENERATE_IMAGE, "image", "'images'"),
        (GENERATE_IMAGE, "input_image", "'images'"),
        (GENERATE_IMAGE, "num_images", "'count'"),
        (GENERATE_IMAGE, "format", "'output_format'"),
        (GENERATE_AUDIO, "text", "'prompt'"),
        (GENERATE_AUDIO, "lyrics", "'prompt'"),
        (GENERATE_AUDIO, "style", "'instructions'"),
        (GENERATE_AUDIO, "voice_id", "'voice'"),
        (GENERATE_AUDIO, "length", "'duration_seconds'"),
        (LIST_TASKS, "n", "'limit'"),
        (LIST_TASKS, "status", "'state'"),
        (CHECK_TASK, "id", "'task_id'"),
        (CHECK_TASK, "timeout", "'wait_seconds'"),
        (VIEW_OUTPUT, "timestamp", "'at_seconds'"),
        (ASSEMBLE, "crossfade_seconds", "'transition_seconds'"),
        (ASSEMBLE, "clips", "'shots'"),
        (ASSEMBLE, "music", "'sounds'"),
        (ASSEMBLE, "fadeout", "'fade_out_seconds'"),
    ],
)
async def test_a_word_of_the_field_is_answered_with_ours(spec: Tool, name: str, meant: str) -> None:
    answer = await answered(spec, FakeService(), {"prompt": "x", "task_id": "01TASK", name: "given"})
    told = answer.document.get("failure") or answer.document["error"]
    assert isinstance(told, dict)
    said = str(told["message"])

    assert meant in said[said.index(f"Unknown argument {name!r}") :]


async def test_a_folder_that_an_equal_call_leaves_without_a_copy_is_told() -> None:
    service = FakeService()
    await answered(GENERATE_IMAGE, service, {"prompt": "a fox"})
    again = await answered(GENERATE_IMAGE, service, {"prompt": "a fox", "output_dir": "/project/media"})

    assert "output_dir '/project/media' was not used" in warnings_of(again)
    assert "it asked for no copy" in warnings_of(again)


async def test_a_folder_that_the_equal_call_named_too_is_no_news() -> None:
    service = FakeService()
    service.first = {"output_dir": "/project/media"}
    await answered(GENERATE_IMAGE, service, {"prompt": "a fox", "output_dir": "media"})
    again = await answered(GENERATE_IMAGE, service, {"prompt": "a fox", "output_dir": "media"})
    other = await answered(GENERATE_IMAGE, service, {"prompt": "a fox", "output_dir": "elsewhere"})

    assert "output_dir" not in warnings_of(again)
    assert "its copies are in /project/media" in warnings_of(other)


async def test_a_clip_as_an_object_is_answered_with_how_one_is_written() -> None:
    answer = await answered(ASSEMBLE, FakeService(), {"shots": [{"source": "task:01TASK", "in": 1}]})

    told = json.dumps(answer.document)
    assert "shots.0 must be a text such as task:<task_id>#1[1.5-4]" in told
    assert "[1.5-4] is a part, [3] a length, [-6dB] a gain" in told


async def test_a_shape_in_pixels_is_answered_with_the_size_that_it_is() -> None:
    answer = await answered(GENERATE_IMAGE, FakeService(), {"prompt": "x", "width": 1280, "height": 720})

    assert "Give both as size: '1280x720'." in json.dumps(answer.document)


@pytest.mark.parametrize(
    ("spec", "name"), [(GENERATE_VIDEO, "duration_seconds"), (GENERATE_IMAGE, "count"), (CHECK_TASK, "wait_seconds")]
)
@pytest.mark.parametrize("value", [True, False])
async def test_a_number_is_not_read_out_of_true(spec: Tool, name: str, value: bool) -> None:
    service = FakeService()
    answer = await answered(spec, service, {"prompt": "x", "task_id": "01TASK", name: value})

    assert answer.is_error
    assert f"{name} must be a number, not {str(value).lower()}." in json.dumps(answer.document)
    assert service.wishes == []


class Heard:
    """A clock, and what a meter reported."""

    def __init__(self) -> None:
        self.now = 0.0
        self.told: list[tuple[float, str]] = []
        self.meter = ProgressMeter(self._hear, lambda: self.now)

    async def _hear(self, percent: float, message: str) -> None:
        self.told.append((percent, message))

    async def after(self, seconds: float, task: TaskRecord) -> None:
        self.now += seconds
        await self.meter.task(task)


async def test_the_number_and_the_words_of_progress_agree() -> None:
    heard = Heard()
    for share in (0.05, 0.05, 0.05, 0.4, 0.2, 1.0):
        await heard.after(5, record(progress=share))

    assert [message for _, message in heard.told] == [
        *["running, 5 %"] * 3,
        "running, 40 %",
        "running, 40 %",
        "running, 99 %",
    ]
    values = [percent for percent, _ in heard.told]
    assert values == sorted(set(values))
    assert all(message == f"running, {round(percent)} %" for percent, message in heard.told)


async def test_progress_is_told_at_most_once_a_second_and_the_end_at_once() -> None:
    heard = Heard()
    for number in range(100):
        await heard.after(0.1, record(progress=number / 100))
    await heard.after(0.1, record(**DONE, outputs=(KEPT,)))

    assert len(heard.told) == 11
    assert heard.told[-1] == (100.0, "succeeded")


async def test_a_failure_is_no_progress() -> None:
    heard = Heard()
    await heard.after(5, record(progress=0.3))
    await heard.after(5, record(state="failed", phase="done", open=False, progress=0.3))

    assert [round(percent) for percent, _ in heard.told] == [30, 30]
    assert heard.told[-1][1] == "failed"


async def test_a_refusal_to_generate_says_what_it_would_have_generated() -> None:
    answer = await answered(GENERATE_AUDIO, refusing(RequestRefused("unsupported", "no")), {"prompt": "x"})

    assert list(answer.document) == ["kind", "state", "failure", "next"]


@pytest.mark.parametrize(
    ("reason", "charged", "again"),
    [
        ("rate_limited", "no", True),
        ("provider_error", "no", True),
        ("provider_error", "unknown", False),
        ("content_violation", "no", False),
        ("cancelled", "no", False),
    ],
)
def test_a_failure_that_costs_nothing_and_may_pass_leads_to_the_same_again(
    reason: FailureReason, charged: Charged, again: bool
) -> None:
    told = failure(reason, "not now", charged=charged)
    step = task_of(record(state="failed", phase="done", open=False, failure=told)).document().get("next")

    once_more = {"tool": "generate_video", "arguments": {"from_task": "01TASK"}, "after_seconds": 60}
    assert step == (once_more if again else None)
