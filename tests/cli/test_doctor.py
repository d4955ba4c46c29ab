"""`rushes doctor`: says what works, and leaves with 1 where something is broken."""

import json
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rushes.providers.registry import default_settings
from rushes.tasks.work.receipt_book import receipt_of

from ..tasks.makers import JOB, polling
from .command import Run, rushes


def checks_of(run: Run, topic: str) -> dict[str, dict[str, Any]]:
    return {check["name"]: check for check in run.document["checks"] if check["topic"] == topic}


def test_on_a_healthy_machine_all_is_well(isolated_environment: Path) -> None:
    run = rushes("doctor", "--json")
    assert run.document["ok"] is True
    assert {"python", "rushes", "mcp", "sqlite"} <= checks_of(run, "versions").keys()
    assert checks_of(run, "media")["libx264"]["state"] == "ok"
    assert {check["state"] for check in checks_of(run, "folders").values()} <= {"ok", "warning"}
    assert str(isolated_environment) in checks_of(run, "folders")["home"]["message"]
    assert checks_of(run, "store")["tasks"]["message"].startswith("0 tasks")
    providers = checks_of(run, "providers")
    assert providers["sandbox"]["state"] == "ok"
    for known in default_settings():
        if known.api_key_env is not None:
            assert providers[known.name]["state"] == "note"
            assert f"{known.api_key_env} " in providers[known.name]["message"]


def test_people_read_it_in_groups() -> None:
    out = rushes("doctor", "--offline").out
    assert [line for line in out.splitlines() if line and not line.startswith((" ", "✔", "·", "!", "✘"))] == [
        "versions",
        "media",
        "settings",
        "folders",
        "providers",
        "money",
        "store",
        "All is well.",
    ]


def test_a_folder_that_cannot_be_written_is_broken(tmp_path: Path) -> None:
    occupied = tmp_path / "a-file"
    occupied.write_text("not a folder", encoding="utf-8")
    run = rushes("doctor", "--json", code=1, RUSHES_OUTPUT_DIR=str(occupied))
    assert checks_of(run, "folders")["outputs"]["state"] == "broken"
    assert run.document["ok"] is False


def test_a_store_that_cannot_be_opened_is_broken(isolated_environment: Path) -> None:
    isolated_environment.mkdir()
    (isolated_environment / "cache").write_text("not a folder", encoding="utf-8")
    run = rushes("doctor", "--json", code=1)
    assert checks_of(run, "store")["tasks"]["state"] == "broken"


def test_a_wrong_setting_is_broken_and_the_rest_is_still_told() -> None:
    run = rushes("doctor", "--json", code=1, RUSHES_LOG_LEVEL="loud")
    assert "RUSHES_LOG_LEVEL" in checks_of(run, "settings")["error"]["message"]
    assert checks_of(run, "versions")


def test_a_key_is_tried_out_and_never_shown() -> None:
    # Nothing listens on port 9 of this machine.
    run = rushes("doctor", "--json", code=1, APIXO_API_KEY="very-secret-value", APIXO_BASE_URL="http://127.0.0.1:9")
    check = checks_of(run, "providers")["apixo"]
    assert check["state"] == "broken"
    assert "127.0.0.1:9" in check["message"]
    assert "very-secret-value" not in run.out + run.err


def test_offline_no_key_is_tried_out() -> None:
    run = rushes(
        "doctor", "--offline", "--json", APIXO_API_KEY="very-secret-value", APIXO_BASE_URL="http://127.0.0.1:9"
    )
    assert "not asked" in checks_of(run, "providers")["apixo"]["message"]


def test_a_misspelt_variable_is_noticed() -> None:
    run = rushes("doctor", "--offline", "--json", RUSHES_OUTPUTS="/somewhere")
    assert "RUSHES_OUTPUT_DIR" in checks_of(run, "settings")["environment"]["message"]


def test_finished_tasks_come_back_from_the_files_beside_their_outputs(isolated_environment: Path) -> None:
    made = rushes("generate", "image", "a lighthouse", "--json").document
    for file in (isolated_environment / "cache").glob("cache.db*"):
        file.unlink()
    assert rushes("tasks", "--json").document["tasks"] == []
    run = rushes("doctor", "--offline", "--rebuild", "--json")
    assert "1 tasks are back" in checks_of(run, "store")["rebuild"]["message"]
    assert rushes("check", made["task_id"], "--json").document["outputs"] == made["outputs"]


def test_a_rebuild_goes_on_past_a_row_that_cannot_be_read_and_puts_the_task_in_its_place(
    isolated_environment: Path,
) -> None:
    made = [rushes("generate", "image", prompt, "--json").document for prompt in ("one", "two", "three")]
    values = (b"\x80\x05N.", json.dumps({"schema": 1, "revision": 1, "task_id": made[1]["task_id"]}))
    with closing(sqlite3.connect(isolated_environment / "cache" / "cache.db", isolation_level=None)) as database:
        for task, value in zip(made, values, strict=False):
            database.execute("UPDATE Cache SET value = ? WHERE key = ?", (value, f"task:{task['task_id']}"))

    run = rushes("doctor", "--offline", "--rebuild", "--json")

    assert "2 tasks are back, 1 were there" in checks_of(run, "store")["rebuild"]["message"]
    for task in made:
        assert rushes("check", task["task_id"], "--json").document["outputs"] == task["outputs"]
    with closing(sqlite3.connect(isolated_environment / "cache" / "cache.db")) as database:
        assert {value for (value,) in database.execute("SELECT value FROM Cache")} >= set(values)


def test_a_paid_job_without_a_task_is_said_and_brought_back(isolated_environment: Path) -> None:
    receipt = receipt_of(polling(), JOB, datetime.now(UTC))
    folder = isolated_environment / "receipts"
    folder.mkdir(parents=True)
    (folder / f"{datetime.now(UTC):%Y-%m-%d}.jsonl").write_text(json.dumps(receipt) + "\n", encoding="utf-8")
    told = {each["name"]: each for each in rushes("doctor", "--offline", "--json").document["checks"]}
    assert told["receipts"]["state"] == "warning"
    assert polling().task_id in told["receipts"]["message"]
    after = {each["name"]: each for each in rushes("doctor", "--offline", "--rebuild", "--json").document["checks"]}
    assert "1 unfinished ones are back" in after["rebuild"]["message"]
    assert "receipts" not in after
