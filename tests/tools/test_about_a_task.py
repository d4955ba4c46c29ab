"""A call about one task that cannot be answered says nothing of the task; a lost job is handed back by `check_task`."""

import pytest

from rushes.domain.errors import RequestRefused, StoreBusy, StoreDamaged, TaskNotFound
from rushes.domain.principal import LOCAL
from rushes.tools import CANCEL_TASK, CHECK_TASK, LIST_TASKS, ToolContext, ToolResult, already, call_tool

from .fake_service import FakeService, record

pytestmark = pytest.mark.anyio


async def _answer(tool: str, refusal: Exception) -> ToolResult:
    service = FakeService()
    service.refusal = refusal
    context, asked = ToolContext(opened=already(service), principal=LOCAL), {"task_id": "01TASK"}
    if tool == "check_task":
        answer = await call_tool(CHECK_TASK, context, asked)
    else:
        answer = await call_tool(CANCEL_TASK, context, asked)
    assert isinstance(answer, ToolResult)
    return answer


@pytest.mark.parametrize("tool", ["check_task", "cancel_task"])
@pytest.mark.parametrize("error", [StoreBusy("held"), StoreDamaged("broken", hint="Start it again.")])
async def test_a_store_that_cannot_be_read_tells_nothing_about_the_task(tool: str, error: Exception) -> None:
    answer = await _answer(tool, error)
    assert answer.is_error
    assert set(answer.document) == {"error"}
    told = answer.document["error"]
    assert isinstance(told, dict)
    assert "tells nothing about the task: it may be running, and it may be charged" in str(told["message"])
    assert "do not generate it anew" in str(told["hint"])
    assert "Nothing was sent" not in str(told)


async def test_a_task_that_is_not_found_is_not_said_to_be_free() -> None:
    answer = await _answer("check_task", TaskNotFound("There is no task '01TASK'."))
    assert "charged" not in answer.document and "state" not in answer.document
    assert "tells nothing about what its gateway did or charged" in str(answer.document["error"])
    assert answer.document["next"] == {"tool": "list_tasks", "arguments": {}}


async def test_a_job_that_cannot_be_handed_back_leaves_the_task_without_a_state() -> None:
    refusal = RequestRefused("not_found", "the gateway does not show it", charged="unknown", hint="Look again.")
    answer = await _answer("check_task", refusal)
    assert answer.document["error"] == {
        "reason": "not_found",
        "message": "the gateway does not show it",
        "hint": "Look again.",
    }


async def test_check_task_hands_a_job_back() -> None:
    service = FakeService()
    service.put(record(state="unknown", phase="done"))
    answer = await call_tool(
        CHECK_TASK, ToolContext(opened=already(service), principal=LOCAL), {"task_id": "01TASK", "job_id": " job-9 "}
    )
    assert isinstance(answer, ToolResult) and answer.document["state"] == "unknown"
    assert service.attached == [("01TASK", "job-9")]


async def test_a_list_that_cannot_be_read_tells_nothing_of_a_task_nor_of_money() -> None:
    service = FakeService()
    service.refusal = StoreBusy("held")
    answer = await call_tool(LIST_TASKS, ToolContext(opened=already(service), principal=LOCAL), {})
    assert isinstance(answer, ToolResult)
    assert set(answer.document) == {"error"}
    assert "task" not in str(answer.document["error"]).replace("task store", "")
