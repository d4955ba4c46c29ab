"""`rushes check`, `tasks` and `cancel`."""

from .command import rushes


def test_tasks_come_newest_first_with_state_and_prompt() -> None:
    first = rushes("generate", "image", "a lighthouse", "--json").document["task_id"]
    second = rushes("generate", "image", "a fox [fail:provider_error]", "--json", code=1).document["task_id"]
    listed = rushes("tasks", "--json").document["tasks"]
    assert [task["task_id"] for task in listed] == [second, first]
    assert [task["state"] for task in listed] == ["failed", "succeeded"]
    assert [task["task_id"] for task in rushes("tasks", "--state", "failed", "--json").document["tasks"]] == [second]
    assert rushes("tasks", "--kind", "video", "--json").document["tasks"] == []
    lines = rushes("tasks").out.splitlines()
    assert [line.split()[0] for line in lines] == ["task", second, first]
    page = rushes("tasks", "--limit", "1")
    cursor = page.out.split("--cursor ")[1].strip()
    assert first in rushes("tasks", "--limit", "1", "--cursor", cursor).out


def test_no_tasks_is_an_answer_and_no_error() -> None:
    assert "No tasks" in rushes("tasks").out


def test_a_filter_that_cannot_be_leaves_with_2() -> None:
    run = rushes("tasks", "--state", "done", code=2)
    assert "'succeeded'" in run.out


def test_a_task_that_does_not_exist_leaves_with_2() -> None:
    run = rushes("check", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "--json", code=2)
    assert run.document["error"]["reason"] == "not_found"
    assert run.err


def test_a_look_shows_what_was_made() -> None:
    made = rushes("generate", "image", "a lighthouse", "--json").document
    seen = rushes("check", made["task_id"], "--json").document
    assert {**seen, "deduplicated": None} == {**made, "deduplicated": None}
    assert made["outputs"][0]["path"] in rushes("check", made["task_id"]).out


def test_a_running_task_is_looked_at_and_cancelled() -> None:
    task_id = rushes("generate", "video", "a fox [slow:300]", "--no-wait", "--json", code=3).document["task_id"]
    assert rushes("check", task_id, "--json", code=3).document["state"] in {"queued", "running"}
    cancelled = rushes("cancel", task_id, "--json").document
    assert cancelled["state"] == "cancelled"
    assert "cancelled" in rushes("check", task_id, code=1).out


def test_a_job_cannot_be_handed_to_a_task_that_has_ended_well() -> None:
    task_id = rushes("generate", "image", "a lighthouse", "--json").document["task_id"]
    run = rushes("attach", task_id, "job-9", "--json", code=1)
    assert "was left as it is: it takes no other job, because its job is" in run.document["error"]["message"]
    assert rushes("check", task_id, "--json").document["state"] == "succeeded"


def test_a_job_cannot_be_handed_to_no_task() -> None:
    assert rushes("attach", "01ARZ3NDEKTSV4RRFFQ69G5FAV", "job-9", code=2).err
